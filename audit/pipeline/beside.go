package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// unkeptName is the note beside the store that runs could not be kept.
const unkeptName = "not_kept"

// An Unkept is what the file not_kept beside the store says: that runs cannot be
// kept, because the store is damaged.
type Unkept struct {
	Store string    `json:"store"` // the name of its file
	Since time.Time `json:"since"` // when the first of these runs began
	At    time.Time `json:"at"`    // when the last did
	What  string    `json:"what"`  // is damaged
}

func unkeptPath(storePath string) string {
	return filepath.Join(filepath.Dir(storePath), unkeptName)
}

// ReadUnkept reads whether the last run of that store could be kept. Errors:
// fs.ErrNotExist when it could, the operating system's, or what is wrong with the file.
func ReadUnkept(storePath string) (*Unkept, error) {
	u := &Unkept{}
	path := unkeptPath(storePath)
	if err := readNote(path, u); err != nil {
		return nil, err
	}
	if u.Store != filepath.Base(storePath) || u.Since.IsZero() {
		return nil, fmt.Errorf("%s is about the store %q", path, u.Store)
	}
	return u, nil
}

// Kept forgets that runs could not be kept: the store is another one, or mended.
func Kept(storePath string) error {
	if u, err := ReadUnkept(storePath); err != nil || u == nil {
		return nil // it is none of this store's
	}
	return os.Remove(unkeptPath(storePath))
}

func (s *session) noteUnkept(since time.Time, what string) error {
	what = strings.ToValidUTF8(what[:min(len(what), maxNote/8)], "") // JSON writes a byte as six
	return writeNote(unkeptPath(s.Store), Unkept{Store: filepath.Base(s.Store), Since: sec(since), At: sec(s.started), What: what})
}

// maxNote bounds a note beside the store, in bytes.
const maxNote = 4 << 10

func readNote(path string, v any) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file", path)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxNote))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// writeNote writes a file whole: who reads it sees the old or the new one.
func writeNote(path string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(append(b, '\n'))
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
