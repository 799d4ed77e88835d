package workflow

import (
	"testing"

	"healthaudit/snapshot/cron"
)

func TestMeans(t *testing.T) {
	for expr, want := range map[string]string{
		"* * * * *":       "fires every minute",
		"*/15 * * * *":    "fires every 15 minutes",
		"7 * * * *":       "fires every hour",
		"0 */6 * * *":     "fires every 6 hours",
		"0 */5 * * *":     "fires 5 times a day", // 4 hours apart once, 5 else
		"*/7 * * * *":     "fires 216 times a day",
		"0,30 9-17 * * *": "fires 18 times a day",
		"0 3 * * *":       "fires once a day at 03:00 UTC",
		"0 3 * * 1":       "fires once a week, on Monday at 03:00 UTC",
		"0 3,4 * * 1":     "fires 8.7 times a month, at 03:00 UTC",
		"0 0 31 2 *":      "hardly ever fires",
	} {
		c, err := cron.Parse(cron.GitHub, expr)
		if err != nil {
			t.Fatal(err)
		}
		if got := means(c, ""); got != want {
			t.Errorf("%s %s, want %s", expr, got, want)
		}
	}
}

func TestMeansInAnotherZone(t *testing.T) {
	c, err := cron.Parse(cron.GitHub, "0 3 * * *")
	if err != nil {
		t.Fatal(err)
	}
	want := `the comment says every 6 hours, but "0 3 * * *" fires once a day at 03:00 Europe/Lisbon`
	if got := Contradiction("every 6 hours", "0 3 * * *", "Europe/Lisbon", c); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestContradictionByTheClockOfTheMachine(t *testing.T) {
	c, err := cron.Parse(cron.Crontab, "0 4 * * 2")
	if err != nil {
		t.Fatal(err)
	}
	want := `the comment says every Monday, but "0 4 * * 2" fires once a week, on Tuesday at 04:00 by the clock of the machine`
	if got := Contradiction("every Monday", "0 4 * * 2", MachineClock, c); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := Contradiction("every Tuesday at 02:00 UTC", "0 4 * * 2", MachineClock, c); got != "" { // nobody knows that clock
		t.Errorf("got %s", got)
	}
}
