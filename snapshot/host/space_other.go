//go:build !linux

package host

// Space is not supported here; what depends on it is unknown.
func (f *files) Space() (Space, error) { return Space{}, ErrUnsupported }
