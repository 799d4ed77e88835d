package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"
	"github.com/mholt/archives"
)

// A Draft is what Write needs beside the bytes.
type Draft struct {
	Dir        string // made, with mode 0700, when it is not there
	Name       Name   // Encrypted is set by Write
	Manifest   Manifest
	Sources    []Source
	Recipients []age.Recipient // none: not encrypted
}

// A Pending is an archive that was written and verified, but does not count
// yet: it has a temporary name until Commit. Close takes it away before that.
type Pending struct {
	Name    Name
	Dir     string
	SHA256  string // of the file, lower-case hex
	Plain   string // of the compressed stream that is in it: that of the file when it is not encrypted
	Bytes   int64  // of the file
	LeftOut []LeftOut

	temp string
}

// Write writes an archive under a temporary name, syncs it, and reads all of it
// back, which it begins while it writes and ends after the sync. Equal input gives
// equal bytes, unless it is encrypted. With an error nothing is left behind; what
// other runs of the same owner left is taken away.
func Write(ctx context.Context, d *Draft) (_ *Pending, err error) {
	if err := os.MkdirAll(d.Dir, 0o700); err != nil {
		return nil, err
	}
	sweep(d.Dir, d.Name.Owner)
	m := d.Manifest
	m.Format, m.Kind, m.Encrypted = Format, d.Name.Kind, len(d.Recipients) > 0
	d.Name.Encrypted = m.Encrypted
	slices.SortFunc(d.Sources, func(a, b Source) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(m.LeftOut, func(a, b LeftOut) int { return strings.Compare(a.Path, b.Path) })
	if m.LeftOut == nil {
		m.LeftOut = []LeftOut{}
	}
	m.Entries = make([]Entry, len(d.Sources))
	for i, s := range d.Sources {
		m.Entries[i] = s.Entry
	}
	head, err := m.Encode()
	if err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(d.Dir, partial(d.Name.Owner)+"*")
	if err != nil {
		return nil, err
	}
	w := &Pending{Name: d.Name, Dir: d.Dir, LeftOut: m.LeftOut, temp: f.Name()}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			w.Close()
		}
	}()
	to, ids := d.Recipients, []age.Identity(nil)
	if m.Encrypted {
		id, r, err := witness(to)
		if err != nil {
			return nil, err
		}
		to, ids = append(slices.Clone(to), r), []age.Identity{id}
	}
	back := newBack(f)
	read := make(chan error, 1)
	go func() { read <- w.readBack(ctx, back, ids) }()
	err = w.stream(ctx, back, to, append([]Source{Bytes(ManifestName, 0o600, head)}, d.Sources...))
	if err == nil {
		err = f.Sync()
	}
	back.end(err)
	if rerr := <-read; err == nil {
		err = rerr
	}
	if err != nil {
		return nil, err
	}
	return w, nil
}

// readBack reads what was written as anybody would, and compares.
func (w *Pending) readBack(ctx context.Context, b *back, ids []age.Identity) error {
	sum := sha256.New()
	r, err := read(ctx, io.TeeReader(b, sum), unlimited, ids, nil)
	if err == nil {
		err = r.fits(w.Bytes)
	}
	if err != nil {
		return fmt.Errorf("read back what was written: %w", err)
	}
	if hex.EncodeToString(sum.Sum(nil)) != w.SHA256 {
		return errors.New("read back what was written: the disk gives other bytes")
	}
	return nil
}

// stream writes tar, zstd and age, and notes the digests.
func (w *Pending) stream(ctx context.Context, f io.Writer, to []age.Recipient, sources []Source) error {
	outer, inner := sha256.New(), sha256.New()
	count := &counter{w: io.MultiWriter(f, outer)}
	var sealed io.WriteCloser = nopCloser{count}
	if len(to) > 0 {
		var err error
		if sealed, err = age.Encrypt(count, to...); err != nil {
			return err
		}
	}
	// The options make the bytes: another level or window is another archive.
	z, err := zstd.NewWriter(io.MultiWriter(sealed, inner), zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithWindowSize(1<<20),
		zstd.WithEncoderConcurrency(2), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return err
	}
	// archives drops errors of the writers below it (facts: its Close is deferred,
	// its result lost): they are remembered here.
	keep := &counter{w: z}
	files := make([]archives.FileInfo, len(sources))
	for i := range sources {
		files[i] = sources[i].info()
	}
	err = archives.Tar{NumericUIDGID: true}.Archive(ctx, keep, files)
	if err == nil {
		err = keep.err
	}
	for _, c := range []io.Closer{z, sealed} {
		if cerr := c.Close(); err == nil {
			err = cerr
		}
	}
	if count.err != nil { // what is below says more than what is above
		err = count.err
	}
	w.SHA256, w.Plain, w.Bytes = hex.EncodeToString(outer.Sum(nil)), hex.EncodeToString(inner.Sum(nil)), count.n
	return err
}

// Commit gives the archive its name. From then on it counts.
func (w *Pending) Commit() error {
	if err := os.Rename(w.temp, w.Path()); err != nil {
		return err
	}
	w.temp = ""
	if d, err := os.Open(w.Dir); err == nil {
		d.Sync() // not every file system can; the bytes are synced
		d.Close()
	}
	return nil
}

// Path returns where the archive lies once it counts.
func (w *Pending) Path() string { return filepath.Join(w.Dir, w.Name.String()) }

// Close takes away an archive that was not committed. Repeated calls do nothing.
func (w *Pending) Close() {
	if w != nil && w.temp != "" {
		os.Remove(w.temp)
		w.temp = ""
	}
}

// CopyTo copies an archive that is not committed yet into another folder, syncs
// the copy and compares its digest.
func (w *Pending) CopyTo(dir string) (_ *Pending, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	sweep(dir, w.Name.Owner)
	in, err := os.Open(w.temp)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	out, err := os.CreateTemp(dir, partial(w.Name.Owner)+"*")
	if err != nil {
		return nil, err
	}
	other := *w
	c := &other
	c.Dir, c.temp = dir, out.Name()
	_, err = io.Copy(out, in)
	if err == nil {
		err = out.Sync()
	}
	sum := sha256.New()
	if err == nil {
		_, err = out.Seek(0, io.SeekStart)
	}
	if err == nil {
		_, err = io.Copy(sum, out)
	}
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	if err == nil && hex.EncodeToString(sum.Sum(nil)) != w.SHA256 {
		err = errors.New("the copy reads back differently")
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// partial begins the name of an archive that does not count yet. An owner runs
// once at a time, so what it finds of itself is left from a run that was killed.
func partial(owner string) string { return ".audit-part." + owner + "." }

func sweep(dir, owner string) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range list {
		if strings.HasPrefix(e.Name(), partial(owner)) && e.Type().IsRegular() {
			os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// A counter counts bytes and remembers the first error.
type counter struct {
	w   io.Writer
	n   int64
	err error
}

func (c *counter) Write(b []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.w.Write(b)
	c.n += int64(n)
	c.err = err
	return n, err
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// info makes a source what archives writes: no owner, one time for all.
func (s *Source) info() archives.FileInfo {
	return archives.FileInfo{FileInfo: stat{s}, NameInArchive: s.Name, LinkTarget: s.Link, Open: func() (fs.File, error) {
		r, err := s.Open()
		if err != nil {
			return nil, err
		}
		return &content{r, s}, nil
	}}
}

// stat is what an entry says of itself.
type stat struct{ *Source }

func (s stat) Name() string { return path.Base(s.Entry.Name) }
func (s stat) Size() int64 {
	if s.Link != "" {
		return 0
	}
	return s.Entry.Size
}
func (s stat) Mode() fs.FileMode {
	if s.Link != "" {
		return fs.ModeSymlink | 0o777
	}
	return s.Entry.Mode.Perm()
}
func (stat) ModTime() time.Time { return time.Unix(0, 0) }
func (stat) IsDir() bool        { return false }
func (stat) Sys() any           { return nil }

type content struct {
	io.ReadCloser
	s *Source
}

func (c *content) Stat() (fs.FileInfo, error) { return stat{c.s}, nil }
