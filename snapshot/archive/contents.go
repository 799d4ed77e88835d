package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"filippo.io/age"
)

// Contents is what was taken out of an archive that was read to its end and
// found whole. Its bytes lie in a temporary file that only its owner can read
// and that has no name any more.
type Contents struct {
	*Manifest
	file *os.File
	at   map[string]extent // by name
}

// An extent is where an entry lies in the file, in bytes.
type extent struct{ at, size int64 }

// A PlaceError says that what is in an archive could not be put anywhere: it says
// nothing of the archive.
type PlaceError struct{ Err error }

func (e *PlaceError) Error() string { return e.Err.Error() }
func (e *PlaceError) Unwrap() error { return e.Err }

// An outlet is what is written to; its errors are a PlaceError.
type outlet struct{ io.Writer }

func (p outlet) Write(b []byte) (int, error) {
	n, err := p.Writer.Write(b)
	if err != nil {
		err = &PlaceError{err}
	}
	return n, err
}

// NoRoom reports whether an error says that the disk took no more: it is full, its
// quota is used up, it cannot be written, or a file may not become that large.
func NoRoom(err error) bool {
	for _, no := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EFBIG} {
		if errors.Is(err, no) {
			return true
		}
	}
	return false
}

// Load reads a whole archive and takes out the entries that are wanted. Nothing
// is given out of an archive that is damaged anywhere. Errors: those of Read, and
// PlaceError.
func Load(ctx context.Context, file string, ids []age.Identity, want func(*Manifest, Entry) bool) (*Contents, error) {
	f, err := os.CreateTemp("", "audit-archive-*")
	if err != nil {
		return nil, &PlaceError{err}
	}
	os.Remove(f.Name()) // where that works at once, a killed run leaves nothing behind
	c := &Contents{file: f, at: map[string]extent{}}
	end := int64(0)
	c.Manifest, err = ReadFile(ctx, file, ids, func(m *Manifest, e Entry, r io.Reader) error {
		if !want(m, e) || e.Link != "" {
			return nil
		}
		n, err := io.Copy(outlet{f}, r)
		if err != nil {
			return fmt.Errorf("take it out of the archive: %w", err)
		}
		c.at[e.Name] = extent{end, n}
		end += n
		return nil
	})
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Open returns a reader of an entry that was taken out.
func (c *Contents) Open(name string) (io.Reader, error) {
	e, taken := c.at[name]
	if !taken {
		return nil, errors.New("the archive does not hold it")
	}
	return io.NewSectionReader(c.file, e.at, e.size), nil
}

// Bytes returns an entry that was taken out.
func (c *Contents) Bytes(name string) ([]byte, error) {
	r, err := c.Open(name)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// Save writes an entry that was taken out to a new file, private and synced.
// That it could not be written is a PlaceError.
func (c *Contents) Save(name, file string) error {
	r, err := c.Open(name)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return &PlaceError{err}
	}
	_, err = io.Copy(outlet{f}, r)
	for _, end := range []func() error{f.Sync, f.Close} {
		if own := end(); err == nil && own != nil {
			err = &PlaceError{own}
		}
	}
	return err
}

// Close gives the room back. Repeated calls do nothing.
func (c *Contents) Close() {
	c.file.Close()
	os.Remove(c.file.Name())
}
