package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"filippo.io/age"
)

// Contents is what was taken out of an archive that was read to its end and
// found whole. Its bytes lie in a temporary file that only its owner can read
// and that has no name any more.
type Contents struct {
	*Manifest
	file *os.File
	at   map[string]int64 // name → offset
}

// Load reads a whole archive and takes out the entries that are wanted. Nothing
// is given out of an archive that is damaged anywhere. Errors: those of Read.
func Load(ctx context.Context, file string, ids []age.Identity, want func(*Manifest, Entry) bool) (*Contents, error) {
	f, err := os.CreateTemp("", "audit-archive-*")
	if err != nil {
		return nil, err
	}
	os.Remove(f.Name()) // where that works at once, a killed run leaves nothing behind
	c := &Contents{file: f, at: map[string]int64{}}
	end := int64(0)
	c.Manifest, err = ReadFile(ctx, file, ids, func(m *Manifest, e Entry, r io.Reader) error {
		if !want(m, e) || e.Link != "" {
			return nil
		}
		n, err := io.Copy(f, r)
		if err != nil {
			return fmt.Errorf("take it out of the archive: %w", err)
		}
		c.at[e.Name] = end
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
	e, ok := c.Entry(name)
	at, taken := c.at[name]
	if !ok || !taken {
		return nil, errors.New("the archive does not hold it")
	}
	return io.NewSectionReader(c.file, at, e.Size), nil
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
func (c *Contents) Save(name, file string) error {
	r, err := c.Open(name)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// Close gives the room back. Repeated calls do nothing.
func (c *Contents) Close() {
	c.file.Close()
	os.Remove(c.file.Name())
}
