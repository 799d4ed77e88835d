//go:build unix

package plugin

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"healthaudit/snapshot/host"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// program writes a shell script and returns a plugin that is it.
func program(t *testing.T, dir, body string) *Plugin {
	t.Helper()
	path := filepath.Join(dir, "p.sh")
	if err := os.WriteFile(path, []byte(body), 0o755); err != nil {
		t.Fatal(err)
	}
	p := *collector
	p.Program = Program{Command: []string{path}, Relative: dir, Timeout: 20 * time.Second, Env: []string{"SESAME"}}
	return &p
}

func machine(t *testing.T) host.Host {
	t.Helper()
	h, err := host.New(t.TempDir(), func(n string) string {
		return map[string]string{"PATH": "/usr/bin:/bin", "SESAME": secret, "OTHER": "other", "HOME": "/home/ada"}[n]
	}, func() time.Time { return noon })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

const well = `echo '` + head + `"items":[{"id":"a"}]}'`

// Whatever a plugin does: a sentence that tells it, and no secret.
func TestCollect_misbehaviour(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"well", "#!/bin/sh\n" + well, ""},
		{"reads_nothing_and_is_well", "#!/bin/sh\nexec 0<&-\n" + well, ""},
		{"prints_nothing", "#!/bin/sh\ncat >/dev/null", "it printed nothing"},
		{"torn", "#!/bin/sh\nprintf '" + head + "\"items\":[{'", "ends in the middle"},
		{"exit_3", "#!/bin/sh\n" + well + "\nexit 3", "ended with exit code 3"},
		{"exit_3_and_says_why", "#!/bin/sh\necho 'first' >&2; echo \"cannot log in with $SESAME\" >&2; exit 3", "ended with exit code 3: cannot log in with (not shown)"},
		{"killed", "#!/bin/sh\nkill -9 $$", "was killed"},
		{"floods", "#!/bin/sh\nexec yes '" + head + "'", "printed more than 4 MiB"},
		{"floods_errors", "#!/bin/sh\nyes oops | head -c 3000000 >&2; exit 1", "ended with exit code 1: o"},
		{"no_interpreter", "#!/no/such/shell\n", "could not be started: no such file"},
		{"no_program", "\x7fELF nonsense", "could not be started: "},
		{"environment", "#!/bin/sh\necho \"$OTHER$HOME$USER\" >&2; exit 1", "ended with exit code 1: /home/ada"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := program(t, t.TempDir(), c.body)
			items, bad := p.Collect(t.Context(), machine(t), noon, hashed)
			switch {
			case c.want == "" && (bad != nil || len(items) != 1):
				t.Errorf("%v %v", items, bad)
			case c.want != "" && (bad == nil || !strings.Contains(bad.What, c.want)):
				t.Errorf("%v, want %q", bad, c.want)
			case bad != nil && strings.Contains(bad.What+bad.Hint, secret):
				t.Errorf("the secret stands in %v", bad)
			}
		})
	}
}

func TestCollect_what_is_no_program(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	p := program(t, out, "#!/bin/sh\n"+well)
	link := filepath.Join(dir, "link.sh")
	if err := os.Symlink(p.Command[0], link); err != nil {
		t.Fatal(err)
	}
	plain := filepath.Join(dir, "plain.sh")
	if err := os.WriteFile(plain, []byte("#!/bin/sh\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		link: "a link that leads out", plain: "is not executable", pipe: "is no regular file", dir: "is no regular file",
		filepath.Join(dir, "none"): "there is no file", "no-such-program": "there is no program no-such-program on PATH",
	} {
		p.Command, p.Relative = []string{name}, dir
		if _, bad := p.Collect(t.Context(), machine(t), noon, hashed); bad == nil || !strings.Contains(bad.What, want) || bad.Hint == "" {
			t.Errorf("%s: %v, want %q", name, bad, want)
		}
	}
	p.Command, p.Relative = []string{link}, ""
	if _, bad := p.Collect(t.Context(), machine(t), noon, hashed); bad != nil {
		t.Errorf("a link that was named absolutely: %v", bad)
	}
}

// alive reports whether a process is there, zombies apart.
func alive(pid string) bool {
	b, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return !strings.HasPrefix(rest, "Z")
}

// Nothing that a plugin started is left, however it ends and wherever that went.
func TestCollect_leaves_no_process(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts many processes; make test runs it")
	}
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("there is no /proc here")
	}
	for name, c := range map[string]struct{ body, want string }{
		"hangs":                  {"sleep 300 & echo $! >$PIDS; wait", "did not end within 1s"},
		"ignores_signals":        {"trap '' TERM INT HUP; echo $$ >$PIDS; while :; do sleep 1; done", "did not end within 1s"},
		"forks_and_ends":         {"sleep 300 >/dev/null 2>&1 & echo $! >$PIDS; " + well, ""},
		"child_holds_the_pipe":   {"sleep 300 & echo $! >$PIDS; " + well, ""},
		"leaves_its_group":       {"setsid sleep 300 >/dev/null 2>&1 & sleep 0.2; echo $! >$PIDS; " + well, ""},
		"leaves_and_holds_pipe":  {"setsid sleep 300 & sleep 0.2; echo $! >$PIDS; " + well, ""},
		"leaves_twice_and_fails": {"setsid sh -c 'setsid sleep 300 & echo $! >$PIDS' & sleep 0.3; exit 1", "exit code 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // most of it is waiting
			dir := t.TempDir()
			pids := filepath.Join(dir, "pids")
			p := program(t, dir, "#!/bin/sh\nPIDS="+pids+"; export PIDS\n"+c.body+"\n")
			p.Command, p.Relative = append([]string{"/bin/sh"}, p.Command...), "" // a file that was just written may be busy while others fork
			if c.want != "" && strings.Contains(c.want, "within") {
				p.Timeout = time.Second
			}
			_, bad := p.Collect(t.Context(), machine(t), noon, hashed)
			if c.want == "" && bad != nil || c.want != "" && (bad == nil || !strings.Contains(bad.What, c.want)) {
				t.Errorf("%v, want %q", bad, c.want)
			}
			b, err := os.ReadFile(pids)
			if err != nil || len(b) == 0 {
				t.Fatalf("it started nothing: %v", err)
			}
			for range 100 {
				if !alive(strings.TrimSpace(string(b))) {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
			t.Errorf("process %s is left", b)
		})
	}
}

// A run that is broken off takes its plugins along.
func TestCollect_stops_with_the_run(t *testing.T) {
	p := program(t, t.TempDir(), "#!/bin/sh\nsleep 300\n")
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(200*time.Millisecond, cancel)
	_, bad := p.Collect(ctx, machine(t), noon, hashed)
	if bad == nil || bad.What != "was stopped with the run" || !errors.Is(ctx.Err(), context.Canceled) {
		t.Error(bad)
	}
}
