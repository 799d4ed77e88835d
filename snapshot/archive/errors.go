package archive

import (
	"errors"
	"fmt"
)

var (
	// ErrForeign says that a file is no archive of audit.
	ErrForeign = errors.New("it is no archive of audit")
	// ErrSealed says that an archive is encrypted and no identity was given.
	ErrSealed = errors.New("it is encrypted, and no identity was given")
	// ErrIdentity says that none of the identities opens an archive.
	ErrIdentity = errors.New("none of the given identities opens it")
)

// A DamagedError says that an archive is not what was written: cut off, changed,
// or made by somebody who means harm. Nothing of it is to be used.
type DamagedError struct{ What string }

func (e *DamagedError) Error() string { return "it is damaged: " + e.What }

func damaged(format string, args ...any) error { return &DamagedError{fmt.Sprintf(format, args...)} }
