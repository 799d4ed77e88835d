package host

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What a program leaves running when it ends is killed where nothing may outlive
// it, and is left alone elsewhere.
func TestRun_alone(t *testing.T) {
	for _, alone := range []bool{true, false} {
		h, err := New(t.TempDir(), os.Getenv, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		res, err := h.Run(t.Context(), Command{Program: "/bin/sh", Args: []string{"-c", "sleep 60 >/dev/null 2>&1 & echo $!"}, Env: []string{"PATH=" + os.Getenv("PATH")}, Timeout: 10 * time.Second, MaxOut: 100, Alone: alone})
		pid, perr := strconv.Atoi(strings.TrimSpace(string(res.Out)))
		if err != nil || perr != nil {
			t.Fatal(err, perr)
		}
		lives := true
		for range 20 { // it has ended, and waits for its new parent
			stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
			if lives = err == nil && !strings.Contains(string(stat), ") Z "); !lives || !alone {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		if lives == alone {
			t.Errorf("alone %v: it lives %v", alone, lives)
		}
		if lives {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}
