package main

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
)

// An interrupt is no archive that cannot be read: it ends the repair.
func TestRefill_interrupted(t *testing.T) {
	why := errors.New("somebody pressed a key")
	ctx, stop := context.WithCancelCause(t.Context())
	stop(why)
	x := &archived{a: &App{ctx: ctx}}
	err := x.take(filepath.Join(t.TempDir(), "none.slim.tar.zst"), nil, map[string]string{"00": "x.sh"}, nil)
	if !errors.Is(err, why) || len(x.unread) > 0 {
		t.Errorf("%v, %v", err, x.unread)
	}
}
