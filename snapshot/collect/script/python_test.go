package script

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"

	"healthaudit/snapshot"
	"healthaudit/snapshot/collect/collecttest"
	"healthaudit/snapshot/host"
)

// slowPython takes the interpreter minutes: each of its many functions is
// looked at with all names of the one around them.
func slowPython() []byte {
	var b bytes.Buffer
	b.WriteString("def f():\n")
	for i := range 20_000 {
		fmt.Fprintf(&b, " a%d=0\n", i)
	}
	b.WriteString(" [" + strings.Repeat("lambda:0,", 60_000) + "]\n")
	return b.Bytes()
}

// One file that the interpreter cannot get through is unknown; the others are judged.
func TestCollect_slowPython(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("python3 is not on this machine")
	}
	s := session(t, "-- scripts/a.py --\nx = 1\n-- scripts/z.py --\nx = (\n-- scripts/zz --\n#!/usr/bin/env python3\n")
	dir := s.Host.Root()
	collecttest.WriteFile(t, dir, "scripts/slow.py", slowPython())
	collecttest.WriteFile(t, dir, "scripts/large.py", bytes.Repeat([]byte("x = 1\n"), 50_000))
	snap := collecttest.Snapshot(t, collecttest.Session(t, dir), Collector)
	for name, want := range map[string]string{"a.py": syntaxOK, "large.py": syntaxOK, "z.py": syntaxBroken} {
		it := snap.Item(snapshot.Key("scripts/scripts/" + name))
		if v, _ := it.Fact("syntax"); v.Str() != want || it.Unknown != "" {
			t.Errorf("%s: syntax %q, unknown %q", name, v.Str(), it.Unknown)
		}
	}
	it := snap.Item("scripts/scripts/slow.py")
	if _, ok := it.Fact("syntax"); ok || !strings.Contains(it.Unknown, "python3") {
		t.Errorf("slow.py: %q %+v", it.Unknown, it.Facts.All())
	}
}

// mortal is a machine whose python3 dies at every file that says so, and starts
// so often only.
type mortal struct {
	host.Host
	starts *int
	limit  int // how often it starts
}

func (mortal) Look(string) (string, error) { return "/usr/bin/python3", nil }

func (m mortal) Run(_ context.Context, c host.Command) (host.Result, error) {
	*m.starts++
	if *m.starts > m.limit {
		return host.Result{Code: 127}, nil
	}
	res := host.Result{Out: []byte("3.11.7\n"), Code: -1}
	for in := bufio.NewReader(bytes.NewReader(c.In)); ; {
		var size int
		if _, err := fmt.Fscanf(in, "%d\n", &size); err != nil {
			return res, nil
		}
		text := make([]byte, size)
		if _, err := io.ReadFull(in, text); err != nil || strings.Contains(string(text), "die") {
			return res, nil
		}
		res.Out = append(res.Out, "null\n"...)
	}
}

// However many files kill the interpreter, it is started so many times only,
// and what it did not come to is unknown too.
func TestCollect_mortalPython(t *testing.T) {
	for _, c := range []struct {
		title              string
		kill, after        int
		limit              int
		starts, ok, unsure int
	}{
		{"two of them", 2, 3, 99, 3, 4, 2},
		{"too many", pythonTries + 2, 3, 99, pythonTries, 1, pythonTries + 5},
		{"it does not start", 0, 2, 0, 1, 0, 0}, // as if there were none
		{"it does not start again", 1, 2, 1, 2, 1, 3},
	} {
		t.Run(c.title, func(t *testing.T) {
			archive := "-- scripts/first.py --\n1\n"
			for i := range c.kill {
				archive += fmt.Sprintf("-- scripts/kill%d.py --\ndie%s\n", i, strings.Repeat("e", i))
			}
			for i := range c.after {
				archive += fmt.Sprintf("-- scripts/late%d.py --\nlate%s\n", i, strings.Repeat("e", 100))
			}
			s := session(t, archive)
			starts, ok, unsure := 0, 0, 0
			s.Host = mortal{s.Host, &starts, c.limit}
			for _, it := range collecttest.Snapshot(t, s, Collector).Items {
				v, known := it.Fact("syntax")
				switch {
				case it.Unknown == "" && v.Str() == syntaxOK:
					ok++
				case it.Unknown != "" && !known:
					unsure++
				}
			}
			if starts != c.starts || ok != c.ok || unsure != c.unsure {
				t.Errorf("%d starts, %d judged, %d unknown; want %d, %d, %d", starts, ok, unsure, c.starts, c.ok, c.unsure)
			}
		})
	}
}
