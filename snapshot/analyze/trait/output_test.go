package trait

import (
	"fmt"
	"testing"

	"healthaudit/snapshot/analyze/shell"
)

func TestOutputs(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"job >> /var/log/a.log 2>&1", "[{/var/log/a.log false 1 5}]"},
		{"job > /var/log/a.log", "[{/var/log/a.log true 1 5}]"},
		{"cd /srv/shop && job >> logs/../a.log", "[{/srv/shop/a.log false 1 21}]"},
		{"job &> '/var/log/a.log'", "[{/var/log/a.log true 1 5}]"},
		{"job 2> /var/log/a.err", "[{/var/log/a.err true 1 5}]"},
		{"job > /dev/null", "[]"},
		{"job >> logs/a.log", "[]"},
		{"cd logs && job >> a.log", "[]"},
		{"job >> /var/log/$(date +%F).log", "[]"},
		{"job >> $HOME/a.log", "[]"},
		{"job 3> /var/log/a.log", "[]"},
		{"job < /var/log/a.log", "[]"},
		{"job >> '/var/log/it is.log'", "[]"},
		{"job >> /var/log/a.log (", "[]"},
	} {
		if got := fmt.Sprint(Outputs(shell.Read([]byte(c.src), shell.Bash))); got != c.want {
			t.Errorf("%s\nwrites %s, want %s", c.src, got, c.want)
		}
	}
}

func TestAlone(t *testing.T) {
	for src, want := range map[string]bool{
		"flock -n /tmp/a job": true, "timeout 4m job": true, "pgrep -f job || job": true, "if [ -f job.pid ]; then exit; fi": true, "const lock = await acquire()": true,
		"LOCK=/tmp/x": true, "unlock": true, "job": false, "make block clock": false, "publish.js": false,
	} {
		if got := Alone([]byte(src)); got != want {
			t.Errorf("%s: %v", src, got)
		}
	}
}
