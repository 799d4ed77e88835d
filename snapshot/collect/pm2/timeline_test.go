package pm2

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"healthaudit/snapshot/collect/collecttest"
	"healthaudit/snapshot/host"
)

// at is a line of pm2.log, so many minutes before collecttest.Now, as a machine
// five and a half hours ahead of UTC stamps it.
func at(minutes int, text string) string {
	t := collecttest.Now.Add(330*time.Minute - time.Duration(minutes)*time.Minute)
	return t.Format(lineTime) + ": PM2 log: " + text + "\n"
}

// told reads a log that was last written as its last line says, minutes ago.
func told(minutes int, lines ...string) *timeline {
	text := strings.Join(lines, "")
	t := &timeline{hash: func(s string) string { return "h:" + s }, clock: clockOf(text, collecttest.Now.Add(-time.Duration(minutes)*time.Minute))}
	t.read(text)
	t.forget(collecttest.Now)
	return t
}

func events(t *timeline) string {
	sums := map[string]int{} // over the hours
	for _, e := range t.Events {
		sums[fmt.Sprintf("%s %s %s", e.Kind, e.App, e.Signal)] += e.Count
	}
	var out []string
	for _, what := range slices.Sorted(maps.Keys(sums)) {
		out = append(out, fmt.Sprintf("%s %d", what, sums[what]))
	}
	return strings.Join(out, "; ")
}

func TestTimeline(t *testing.T) {
	const day = 24 * 60
	killed := func(minutes int, signal string) string {
		return at(minutes, "App [api:0] exited with code [0] via signal ["+signal+"]")
	}
	for _, c := range []struct {
		title string
		lines []string
		want  string
	}{
		{"killed twice", []string{killed(9, "SIGKILL"), at(9, "App [api:0] starting in -fork mode-"), killed(5, "SIGKILL"), at(0, "x")}, "k h:api SIGKILL 2"},
		{"an exit without a signal", []string{killed(0, "SIGINT")}, ""},
		{"someone ended it", []string{killed(0, "SIGTERM")}, ""},
		{"PM2 ended it, with force", []string{at(1, "Stopping app:api id:0"), at(1, "pid=7 msg=failed to kill - retrying in 100ms"), killed(0, "SIGKILL")}, ""},
		{"PM2 ended another one", []string{at(1, "Stopping app:web id:1"), killed(0, "SIGKILL")}, "k h:api SIGKILL 1"},
		{"killed after a restart", []string{at(1, "Stopping app:api id:0"), killed(1, "SIGINT"), at(1, "App [api:0] starting in -fork mode-"), killed(0, "SIGKILL")}, "k h:api SIGKILL 1"},
		{"a worker that is replaced", []string{at(1, "Stopping app:pool id:_old_2"), at(0, "App [pool:_old_2] exited with code [0] via signal [SIGKILL]")}, ""},
		{"long ago", []string{killed(day+1, "SIGKILL"), at(0, "x")}, ""},
		{"a name like the rest of the line", []string{at(0, "App [a:0] exited with code [0] via signal [SIGKILL]:7] exited with code [0] via signal [SIGSEGV]")}, "k h:a:0] exited with code [0] via signal [SIGKILL] SIGSEGV 1"},
		{"memory, name said before", []string{at(2, "App [api:0] starting in -fork mode-"), at(0, "[PM2][WORKER] Process 0 restarted because it exceeds --max-memory-restart value (current_memory=9 max_memory_limit=8 [octets])")}, "m h:api  1"},
		{"memory, name said after", []string{at(0, "[PM2][WORKER] Process 3 restarted because it exceeds --max-memory-restart value (x)"), at(0, "Stopping app:api id:3")}, "m h:api  1"},
		{"memory, name said nowhere", []string{at(0, "[PM2][WORKER] Process 3 restarted because it exceeds --max-memory-restart value (x)")}, "m 3  1"},
		{"an error of the daemon", []string{at(3, "--- New PM2 Daemon started ---"), at(1, "--- PM2 global error caught ---"), at(0, "--- New PM2 Daemon started ---")}, "e   1"},
		{"ended and started", []string{at(3, "--- New PM2 Daemon started ---"), at(1, "PM2 successfully stopped"), at(0, "--- New PM2 Daemon started ---")}, ""},
		{"ended by a signal and started", []string{at(3, "--- New PM2 Daemon started ---"), at(1, "pm2 has been killed by signal, dumping process list before exit..."), at(0, "--- New PM2 Daemon started ---")}, ""},
		{"died and started", []string{at(3, "App [api:0] starting in -fork mode-"), at(0, "--- New PM2 Daemon started ---")}, "d   1"},
		{"started, and nothing is known of before", []string{at(0, "--- New PM2 Daemon started ---")}, ""},
		{"lines without a time", []string{"App [api:0] exited with code [0] via signal [SIGKILL]\n"}, ""},
	} {
		t.Run(c.title, func(t *testing.T) {
			if got := events(told(0, c.lines...)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
	t.Run("the time is that of the machine, whatever the zone", func(t *testing.T) {
		_, last, _ := told(10, killed(40, "SIGKILL"), at(10, "x")).sum(killedEvent, "h:api")
		if want := collecttest.Now.Add(-40 * time.Minute).Unix(); last != want {
			t.Errorf("last %d, want %d", last, want)
		}
	})
}

// Every line is read once, whatever happens to the file.
func TestReadMark(t *testing.T) {
	home := t.TempDir()
	name := filepath.Join(home, "pm2.log")
	dir := outside(t, home)
	hash := func(s string) string { return "h:" + s }
	m := logMark{}
	step := func(title, content, want string) {
		t.Helper()
		if content != "" {
			if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		text, _, next, err := readMark(dir, m, hash)
		if err != nil || text != want {
			t.Errorf("%s: %q, %v, want %q", title, short(text), err, short(want))
		}
		m = next
	}
	step("first", "one\ntwo\nhalf", "one\ntwo\n")
	step("unchanged", "", "")
	step("grown", "one\ntwo\nhalf a line\nthree\n", "half a line\nthree\n")
	step("truncated", "new\n", "new\n")
	step("truncated and grown beyond", "other\nlonger\nthan\n", "other\nlonger\nthan\n")
	if err := os.Rename(name, name+".1"); err != nil {
		t.Fatal(err)
	}
	step("rotated", "other\nlonger\nthan\nmore\n", "other\nlonger\nthan\nmore\n")
	line := strings.Repeat("x", 999) + "\n"
	step("grown by too much", "other\nlonger\nthan\nmore\n"+strings.Repeat(line, 5000), strings.Repeat(line, maxTail/1000))
	step("emptied", "\n", "\n")
	m = logMark{}
	step("a first look at a large one", strings.Repeat(line, 5000), strings.Repeat(line, firstTail/1000))
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if _, _, next, err := readMark(dir, m, hash); !host.IsNotExist(err) || next != m {
		t.Errorf("removed: %v, %+v", err, next)
	}
}

func short(s string) string { return s[:min(len(s), 60)] }

func outside(t *testing.T, folder string) host.Files {
	t.Helper()
	h, err := host.New(t.TempDir(), os.Getenv, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := h.Outside(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dir.Close(); h.Close() })
	return dir
}

func FuzzTimeline(f *testing.F) {
	f.Add(at(1, "Stopping app:api id:0")+at(1, "App [api:0] exited with code [0] via signal [SIGKILL]"), at(0, "App [api:0] starting in -fork mode-"))
	f.Add(at(0, "[PM2][WORKER] Process 3 restarted because it exceeds --max-memory-restart value (x)"), at(0, "Stopping app:api id:_old_3"))
	f.Add("2026-11-23T12:00:00", "App []: \n")
	f.Add(at(0, "[PM2][WORKER] Process "+strings.Repeat("9", 31)+" restarted because it exceeds --max-memory-restart value (x)"), "")
	f.Fuzz(func(t *testing.T, a, b string) {
		whole := &timeline{hash: func(string) string { return "h" }, clock: clockOf(a+b, collecttest.Now)}
		whole.read(a + b)
		whole.forget(collecttest.Now)
		if len(whole.Events) > maxEvents || len(whole.Stopping) > 100 {
			t.Errorf("%d events, %d stopping", len(whole.Events), len(whole.Stopping))
		}
		text, err := json.Marshal(whole)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range whole.Events {
			if e.Count < 1 || len(e.App) > maxID || len(e.Signal) > 10 {
				t.Errorf("%s", text)
			}
		}
		// Who reads in two steps, at the end of a line, has the same names of what is stopping.
		if !strings.HasSuffix(a, "\n") {
			return
		}
		parts := &timeline{hash: whole.hash, clock: whole.clock}
		parts.read(a)
		parts.read(b)
		if !slices.Equal(parts.Stopping, whole.Stopping) || parts.Up != whole.Up {
			t.Errorf("in two steps %q %v, at once %q %v", parts.Stopping, parts.Up, whole.Stopping, whole.Up)
		}
	})
}
