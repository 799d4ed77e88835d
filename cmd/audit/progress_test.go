package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

func TestProgress(t *testing.T) {
	p := &progress{stage: "lock"}
	var said []string
	say := func() { said = append(said, p.line()) }
	files := func() int { return 1234 }
	none := func() int { return 0 }
	say()
	p.Begin("open", none)
	say()
	p.End("open", 0)
	p.Begin("collect", none)
	say()
	p.Begin("scripts", files)
	p.Begin("pm2", files)
	say()
	p.End("scripts", 0)
	say()
	p.End("pm2", 0)
	say()
	p.Begin("something new", none)
	say()
	want := []string{"waiting for the lock", "opening the store", "reading", "reading pm2, scripts (0 of 2 done): 1234 files", "reading pm2 (1 of 2 done): 1234 files", "reading (2 of 2 done): 1234 files", "something new"}
	if got := strings.Join(said, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("said\n%s", got)
	}
}

func TestProgress_leaves_nothing_behind(t *testing.T) {
	var b bytes.Buffer
	p := newProgress(&b, 20)
	p.stop()
	if b.Len() > 0 {
		t.Errorf("a short run shows %q", b.String())
	}
	shown := make(chan struct{}, 1)
	p = newProgress(io.MultiWriter(&b, writerFunc(func() {
		select {
		case shown <- struct{}{}:
		default:
		}
	})), 20)
	p.Begin("tree", func() int { return 0 })
	<-shown
	p.stop()
	lines := strings.Split(strings.TrimSuffix(b.String(), "\r\x1b[K"), "\r")
	if len(lines) < 2 || !strings.HasSuffix(b.String(), "\r\x1b[K") {
		t.Fatalf("wrote %q", b.String())
	}
	for _, l := range lines[1:] {
		if l != "audit: listing the \x1b[K" { // one column is left free, or the terminal would begin a new line
			t.Errorf("wrote %q on 20 columns", l)
		}
	}
}

// A writerFunc is called for everything that is written.
type writerFunc func()

func (f writerFunc) Write(p []byte) (int, error) {
	f()
	return len(p), nil
}
