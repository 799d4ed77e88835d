//go:build !race

package ecosystem

const (
	limitsMemory = true
	slower       = 1
)
