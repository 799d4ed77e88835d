//go:build !linux

package host

// Processes is not supported here; what depends on it is unknown.
func (o *OS) Processes(func(int, string) bool) ([]Process, error) { return nil, ErrUnsupported }

// Program is not supported here.
func (o *OS) Program(int) string { return "" }
