package main

import (
	"runtime"
	"runtime/debug"
	gometrics "runtime/metrics"
	"sync/atomic"
)

// A heapBound is how much memory a command may take: least bytes, and more percent
// of what it keeps alive. A run is short, and collecting garbage seldom makes it a
// third faster; but what is seldom collected fills whatever bound there is. Bound
// to what is alive, a first run over 4,000 scripts takes 130 MB instead of 175. Of
// 2,000 workflows it takes 137 MB; with 50 MiB and as much more it would be 130, for
// a twentieth more time.
type heapBound struct{ least, more int64 }

// heapGrow is by how many percent the heap may grow before it is looked through,
// where no bound comes before.
const heapGrow = 1000

var heap atomic.Pointer[heapBound]

func limitHeap() {
	heap.Store(&heapBound{66 << 20, 110})
	debug.SetGCPercent(heapGrow)
	boundHeap()
	afterGC()
}

// knowingHeap is for runs that have a store: what is in it as it was stays encoded
// and takes little. One over 2,000 workflows takes 57 MB instead of 65, and as long.
func knowingHeap() {
	heap.Store(&heapBound{30 << 20, 150})
	boundHeap()
	hugePages(16 << 20)
}

// smallHeap is for commands that move bytes, and should be no burden to the
// machine that they save or mend: they take a third of the memory and as long.
func smallHeap() {
	heap.Store(&heapBound{48 << 20, 0})
	debug.SetGCPercent(100)
	boundHeap()
}

// boundHeap sets the limit of memory by what was alive when garbage was last
// collected.
func boundHeap() {
	live := []gometrics.Sample{{Name: "/gc/heap/live:bytes"}}
	gometrics.Read(live)
	b := heap.Load()
	debug.SetMemoryLimit(b.least + int64(live[0].Value.Uint64())*b.more/100)
}

// afterGC sets the bound anew whenever garbage was collected: then something that
// nobody keeps is gone.
func afterGC() {
	runtime.AddCleanup(&[16]byte{}, func(struct{}) {
		boundHeap()
		afterGC()
	}, struct{}{})
}
