package archive

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"

	"healthaudit/snapshot"
)

// A batch is files that are written under temporary names and then synced side
// by side: a disk waits once for many, where it would wait for each. None has
// its name before it is safe on the disk.
type batch struct {
	r     *Restorer
	files []*pending
	in    map[string]bool // paths in it
	bytes int64
}

const (
	batchFiles = 128
	batchBytes = 16 << 20
	syncers    = 16
)

// A pending file is written, and does not have its name yet.
type pending struct {
	o    *Outcome
	temp string
	file *os.File // nil for a link
	err  error
}

// full reports whether the batch must be finished before a file is looked at: it
// is large enough, or what it holds may stand in that file's way.
func (b *batch) full(p string) bool {
	if len(b.files) >= batchFiles || b.bytes >= batchBytes {
		return true
	}
	for dir := p; dir != "." && dir != "/"; dir = path.Dir(dir) {
		if b.in[dir] {
			return true
		}
	}
	return false
}

// add writes a file under a temporary name.
func (b *batch) add(o *Outcome) {
	f := o.File
	dir := path.Dir(f.Path)
	var random [8]byte
	rand.Read(random[:])
	p := &pending{o: o, temp: filepath.FromSlash(path.Join(dir, temporary+hex.EncodeToString(random[:])))}
	if err := b.r.begin(p, dir); err != nil {
		b.r.Target.Remove(p.temp)
		o.Action, o.Reason = Failed, plain(err)
		return
	}
	if b.in == nil {
		b.in = map[string]bool{}
	}
	b.files, b.in[f.Path], b.bytes = append(b.files, p), true, b.bytes+f.Size
}

// begin makes what is to get the name of a file, not yet synced.
func (r *Restorer) begin(p *pending, dir string) error {
	if err := r.folders(dir); err != nil {
		return err
	}
	f := p.o.File
	if f.Link != "" {
		if err := r.Target.Symlink(f.Link, p.temp); err != nil {
			return err
		}
		return r.give(p.temp, r.owner(f.Path))
	}
	b, err := r.bytes(f)
	if err != nil {
		return err
	}
	out, err := r.Target.OpenFile(p.temp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = out.Write(b)
	if err == nil {
		err = r.give(p.temp, r.owner(f.Path))
	}
	if err == nil {
		err = out.Chmod(f.Mode.Perm())
	}
	if err != nil {
		out.Close()
		return err
	}
	p.file = out
	return nil
}

// finish syncs the files, gives them their names and verifies each.
func (b *batch) finish() {
	var wg sync.WaitGroup
	turn := make(chan struct{}, syncers)
	for _, p := range b.files {
		if p.file == nil {
			continue
		}
		turn <- struct{}{}
		wg.Go(func() {
			p.err = p.file.Sync()
			if err := p.file.Close(); p.err == nil {
				p.err = err
			}
			<-turn
		})
	}
	wg.Wait()
	dirs := map[string]bool{}
	for _, p := range b.files {
		if p.err == nil && !b.r.still(p.o) {
			b.r.Target.Remove(p.temp)
			p.o.Action, p.o.Reason = Kept, changedMeanwhile
			continue
		}
		if p.err == nil {
			p.err = b.r.place(p)
		}
		if p.err != nil {
			b.r.Target.Remove(p.temp)
			p.o.Action, p.o.Reason = Failed, plain(p.err)
		}
		dirs[path.Dir(p.o.File.Path)] = true
	}
	for dir := range dirs {
		if d, err := b.r.Target.Open(filepath.FromSlash(dir)); err == nil {
			d.Sync() // not every file system can; the bytes were verified
			d.Close()
		}
	}
	*b = batch{r: b.r}
}

const changedMeanwhile = "it changed while it was being restored"

// still reports whether what stands in the place of a file is what was there
// when it was looked at, so that it may be replaced.
func (r *Restorer) still(o *Outcome) bool {
	if r.Policy == Always {
		return true
	}
	is, err := r.disk(o.File.Path)
	if o.Before.Path == "" {
		return errors.Is(err, fs.ErrNotExist)
	}
	return err == nil && is.SHA256 == o.Was && is.Link == o.Before.Link
}

// place gives a file its name and verifies it. When it does not read back, what
// stood there is put back.
func (r *Restorer) place(p *pending) error {
	name := filepath.FromSlash(p.o.File.Path)
	if p.o.Before.Path == "" {
		if err := r.Target.Rename(p.temp, name); err != nil {
			return err
		}
		return r.checked(p.o.File, name, p.temp+".before")
	}
	before := p.temp + ".before"
	err := r.Target.Link(name, before)
	defer r.Target.Remove(before)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		before = "" // no hard links here: what stood there is in the store
	}
	if err := r.Target.Rename(p.temp, name); err != nil {
		return err
	}
	return r.checked(p.o.File, name, before)
}

// checked verifies a file, or puts back what stood there.
func (r *Restorer) checked(f snapshot.File, name, before string) error {
	if err := r.verify(f); err != nil {
		return r.undo(name, before, err)
	}
	return nil
}
