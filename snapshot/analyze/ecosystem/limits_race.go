//go:build race

package ecosystem

// limitsMemory is off under the race detector, whose own tables are larger
// than any limit.
const limitsMemory = false

// slower is by how much: all limits of time are longer.
const slower = 5
