package main

import "runtime/debug"

// How much memory a command may take. It is short: collecting garbage seldom
// makes it a third faster, and the limit keeps a first run over thousands of
// files under 190 MB all the same.
const (
	heapLimit = 150 << 20
	heapGrow  = 1000 // percent
)

func limitHeap() {
	debug.SetGCPercent(heapGrow)
	debug.SetMemoryLimit(heapLimit)
}

// smallHeap is for commands that move bytes, and should be no burden to the
// machine that they save or mend: they take a third of the memory and as long.
func smallHeap() {
	debug.SetGCPercent(100)
	debug.SetMemoryLimit(48 << 20)
}
