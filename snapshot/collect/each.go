package collect

import (
	"context"
	"sync"
	"sync/atomic"
)

// Each calls do for 0 … n−1, some of them at once, and returns when all have
// ended; when the context ends it starts no more. A panic in do is passed on to
// the caller, where it fails one system instead of the program.
func (s *Session) Each(ctx context.Context, n int, do func(i int)) {
	workers := s.Config.Concurrency
	if workers <= 0 {
		workers = 2
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	var once sync.Once
	var bug any
	call := func(i int) {
		defer func() {
			if r := recover(); r != nil {
				once.Do(func() { bug = r })
			}
		}()
		do(i)
	}
	for range min(workers, n) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				call(i)
			}
		})
	}
	wg.Wait()
	if bug != nil {
		panic(bug)
	}
}
