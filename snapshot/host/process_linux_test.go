package host

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	// Fields 3 to 24 of proc_pid_stat(5): state, ppid … utime stime … starttime vsize rss.
	rest := " S 7 1 1 0 -1 4194560 1 2 3 4 100 23 5 6 20 0 11 0 5000 1000000 321 99 0\n"
	want := Process{PPID: 7, CPU: 123, Reaped: 11, Start: 5000, RSS: 321 * 4096}
	for name, stat := range map[string]string{
		"plain":                 "42 (node)" + rest,
		"spaces":                "42 (PM2 v5.3: God Dae)" + rest,
		"parentheses":           "42 (a) S 9 (b))" + rest,
		"a newline":             "42 (a\nb)" + rest,
		"exactly enough fields": "42 (node)" + strings.TrimSuffix(rest, " 99 0\n"),
	} {
		if got := "42 (" + commandName([]byte(stat)) + ")" + stat[strings.LastIndexByte(stat, ')')+1:]; got != stat {
			t.Errorf("%s: name %q", name, commandName([]byte(stat)))
		}
		if got, kernel, ok := parseStat([]byte(stat), 4096); !ok || kernel || got != want {
			t.Errorf("%s: %+v %v %v", name, got, kernel, ok)
		}
	}
	if _, kernel, _ := parseStat([]byte("2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 5 0 0 20 0 1 0 2 0 0\n"), 4096); !kernel {
		t.Error("kthreadd is no kernel thread")
	}
	for _, torn := range []string{"", ")", "42", "42 (node", "42 (node)", "42 (node) S 7 1", "42 (node)" + strings.TrimSuffix(rest, " 321 99 0\n")} {
		if got, _, ok := parseStat([]byte(torn), 4096); ok {
			t.Errorf("%q: %+v", torn, got)
		}
		if name := commandName([]byte(torn)); len(torn) < 6 && name != "" {
			t.Errorf("%q: name %q", torn, name)
		}
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add("node", 7, uint64(5), uint64(1))
	f.Add("a) S 9 (b", 1, uint64(1<<40), uint64(0))
	f.Fuzz(func(t *testing.T, comm string, ppid int, start, cpu uint64) {
		parseStat([]byte(comm), 4096) // as it stands: no panic
		if ppid < 0 {
			return
		}
		b := []byte("1 (" + comm + ") S ")
		p, _, ok := parseStat(appendFields(b, uint64(ppid), cpu, start), 1)
		if !ok || p.PPID != ppid || p.Start != start || p.CPU != cpu || p.RSS != 9 {
			t.Errorf("%+v %v", p, ok)
		}
	})
}

func TestProcesses_lists_itself(t *testing.T) {
	h, err := New(t.TempDir(), os.Getenv, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	list, err := h.Processes(Titled)
	if err != nil {
		t.Fatal(err)
	}
	exe, _ := os.Executable()
	few, err := h.Processes(func(pid int, name string) bool {
		return pid == os.Getpid() && strings.HasPrefix(filepath.Base(exe), name)
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range few {
		if (p.Title != "") != (p.PID == os.Getpid()) {
			t.Errorf("not asked for, or left out: %+v", p)
		}
	}
	for _, p := range list {
		if p.PID != os.Getpid() {
			continue
		}
		age := time.Since(p.StartTime)
		if p.PPID != os.Getppid() || h.Program(p.PID) != exe || p.Title != strings.Join(os.Args, " ") || p.RSS < 1<<20 || p.Start == 0 || age < -2*time.Second || age > time.Hour {
			t.Errorf("%+v, %s old", p, age)
		}
		return
	}
	t.Errorf("not among %d processes", len(list))
}

// appendFields writes the fields after the state.
func appendFields(b []byte, ppid, cpu, start uint64) []byte {
	return fmt.Appendf(b, "%d 1 1 0 -1 0 0 0 0 0 %d 0 0 0 20 0 1 0 %d 0 9", ppid, cpu, start)
}
