package pipeline

import (
	"sync"
	"sync/atomic"
)

// sideBySide calls do for 0 to n-1, two at once, and returns when all have ended.
func sideBySide(n int, do func(i int)) {
	var wg sync.WaitGroup
	var next atomic.Int64
	for range min(n, 2) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	wg.Wait()
}
