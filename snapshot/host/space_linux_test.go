package host

import (
	"os"
	"testing"
	"time"
)

func TestSpace(t *testing.T) {
	h, err := New(t.TempDir(), os.Getenv, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	dir, err := h.Outside(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	s, err := dir.Space()
	if err != nil || s.Size < 1<<20 || s.Free < 0 || s.Free > s.Size {
		t.Errorf("%+v, %v", s, err)
	}
}
