//go:build !race

package ecosystem

const limitsMemory = true
