//go:build linux || darwin

package ecosystem

import (
	"testing"
	"time"
)

func TestOvertime(t *testing.T) {
	said := make(chan string, 1)
	stop := overtime(50*time.Millisecond, func(why string) { said <- why })
	if why := <-said; why != tooBusy {
		t.Errorf("without processor time: %q", why)
	}
	stop()

	stop = overtime(50*time.Millisecond, func(why string) { said <- why })
	for n := 0; len(said) == 0; n++ {
	}
	if why := <-said; why != tooMuch {
		t.Errorf("with processor time: %q", why)
	}
	stop()
}
