//go:build race

package ecosystem

// limitsMemory is off under the race detector, whose own tables are larger
// than any limit.
const limitsMemory = false
