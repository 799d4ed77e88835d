package collect

import (
	"context"
	"sync/atomic"
	"testing"
)

func TestEach(t *testing.T) {
	t.Run("calls_every_one_once", func(t *testing.T) {
		var seen [100]atomic.Int32
		(&Session{Config: Config{Concurrency: 3}}).Each(t.Context(), len(seen), func(i int) { seen[i].Add(1) })
		for i := range seen {
			if n := seen[i].Load(); n != 1 {
				t.Errorf("%d was called %d times", i, n)
			}
		}
	})
	t.Run("passes_a_panic_on", func(t *testing.T) {
		defer func() {
			if r := recover(); r != "bug" {
				t.Errorf("recovered %v", r)
			}
		}()
		(&Session{}).Each(t.Context(), 10, func(i int) {
			if i == 4 {
				panic("bug")
			}
		})
		t.Error("it went on")
	})
	t.Run("stops_with_its_context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var n atomic.Int32
		(&Session{}).Each(ctx, 1000, func(int) { n.Add(1); cancel() })
		if n.Load() > 10 {
			t.Errorf("%d calls after the end", n.Load())
		}
	})
}
