package trend

// Window is how many states Flaps looks at.
const Window = 21

// What Flapping starts and stops at, in percent.
const (
	flapHigh = 30
	flapLow  = 20
)

// Flaps returns how much something goes to and fro, in percent of the most it
// could: of the last 21 states, oldest first, every change counts, from 0.75 for
// the oldest to 1.25 for the newest (Nagios, base/flapping.c). Fewer states are
// padded with the oldest one, so that a single change of a short history is no
// flapping.
func Flaps[S comparable](states []S) (percent float64) {
	states = states[max(len(states)-Window, 0):]
	const changes = Window - 1
	pad := Window - len(states)
	for i := 1; i < len(states); i++ {
		if states[i] != states[i-1] {
			x := float64(pad + i) // 1 to 20
			percent += 100 * (0.75 + (x-1)*0.5/(changes-1)) / changes
		}
	}
	return percent
}

// Flapping decides by the percentage, and by what was decided before: it starts
// at 30 and stops at 20, so that the verdict itself does not flap.
func Flapping(percent float64, was bool) bool {
	if was {
		return percent > flapLow
	}
	return percent >= flapHigh
}
