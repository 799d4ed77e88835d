package pipeline

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"healthaudit/snapshot"
	"healthaudit/snapshot/archive"
	"healthaudit/snapshot/store"
)

// An Unpacked is the snapshot of an archive with the bytes of its files.
type Unpacked struct {
	*archive.Manifest
	Snapshot *snapshot.Snapshot // the newest, of a full archive
	Info     *Info
	Bytes    func(sum string) ([]byte, error)
	Store    *store.Store // of a full archive
	names    map[string]string
}

// Holds reports whether the archive has the bytes of a file.
func (u *Unpacked) Holds(f snapshot.File) bool {
	if f.SHA256 == "" || !filepath.IsLocal(filepath.FromSlash(f.Path)) {
		return false
	}
	if u.Store == nil {
		_, ok := u.names[f.SHA256]
		return ok || f.Link != ""
	}
	_, err := u.Bytes(f.SHA256)
	return err == nil || f.Link != ""
}

// Unpack makes a snapshot of an archive that was loaded, its store or state among
// what was taken out. done gives back what it holds; dir is where a full one's
// store is put meanwhile.
func Unpack(ctx context.Context, c *archive.Contents, dir string) (u *Unpacked, done func(), err error) {
	u = &Unpacked{Manifest: c.Manifest, names: map[string]string{}}
	for _, e := range c.Entries {
		if strings.HasPrefix(e.Name, archive.FilesFolder) && e.Link == "" {
			u.names[e.SHA256] = e.Name
		}
	}
	u.Bytes = func(sum string) ([]byte, error) {
		name, ok := u.names[sum]
		if !ok {
			return nil, store.ErrNoBlob
		}
		return c.Bytes(name)
	}
	if c.Kind == archive.Full {
		return u.full(ctx, c, filepath.Join(dir, "archived.db"))
	}
	raw, err := c.Bytes(archive.StateName)
	if err != nil {
		return nil, nil, err
	}
	s, err := decodeState(raw)
	if err != nil {
		return nil, nil, err
	}
	u.Info = s.Info
	u.Snapshot, err = s.snapshot()
	if err == nil {
		u.Snapshot.Seq, u.Snapshot.Content = c.Snapshot.Seq, contentFunc(u.Bytes)
	}
	return u, func() {}, err
}

type contentFunc func(sum string) ([]byte, error)

func (f contentFunc) Bytes(sum string) ([]byte, error) { return f(sum) }

// full opens the store of a full archive.
func (u *Unpacked) full(ctx context.Context, c *archive.Contents, file string) (*Unpacked, func(), error) {
	if err := c.Save(archive.StoreName, file); err != nil {
		return nil, nil, err
	}
	if _, err := store.Rekey(file); archive.NoRoom(err) {
		return nil, nil, &archive.PlaceError{Err: err}
	} else if err != nil {
		return nil, nil, err
	}
	st, err := store.Open(file, store.Options{ReadOnly: true, Verify: true})
	if err != nil {
		return nil, nil, err
	}
	u.Store = st
	problems, err := st.Verify(ctx, true)
	if err == nil && len(problems) > 0 {
		err = fmt.Errorf("the store in it is damaged: %s: %s", problems[0].Where, problems[0].What)
	}
	var tx *store.Tx
	if err == nil {
		tx, err = st.Begin()
	}
	if err == nil {
		if u.Snapshot, u.Info, err = LoadSnapshot(tx, c.Snapshot.Seq); err == nil && u.Snapshot.ID != c.Snapshot.ID {
			err = errors.New("the store in it does not have the snapshot that its manifest names")
		}
	}
	done := func() {
		if tx != nil {
			tx.Rollback()
		}
		st.Close()
		os.Remove(file)
	}
	if err != nil {
		done()
		return nil, nil, err
	}
	u.Bytes = tx.Blob
	return u, done, nil
}
