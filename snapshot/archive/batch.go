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
	"sync/atomic"

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
	// writers is how many files are read, written or verified at once: each is held
	// in memory.
	writers = 2
)

// A pending file is written, and does not have its name yet.
type pending struct {
	o    *Outcome
	temp string
	file *os.File // nil for a link
	err  error
	kept bool // it changed since the plan was made
}

// full reports whether the batch must be finished before a file comes into it: it
// is large enough, or what it holds may stand in that file's way.
func (b *batch) full(f snapshot.File) bool {
	if len(b.files) >= batchFiles || len(b.files) > 0 && b.bytes+f.Size > batchBytes {
		return true
	}
	for dir := f.Path; dir != "." && dir != "/"; dir = path.Dir(dir) {
		if b.in[dir] {
			return true
		}
	}
	return false
}

func (b *batch) add(o *Outcome) {
	if b.in == nil {
		b.in = map[string]bool{}
	}
	b.files, b.in[o.File.Path], b.bytes = append(b.files, &pending{o: o}), true, b.bytes+o.File.Size
}

// sideBySide calls do for 0 to n-1, a few at once; one alone in this goroutine.
func sideBySide(n int, do func(int)) {
	if n == 1 {
		do(0)
		return
	}
	var wg sync.WaitGroup
	var next atomic.Int64
	for range min(n, writers) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	wg.Wait()
}

// begin makes what is to get the name of a file, not yet synced.
func (r *Restorer) begin(p *pending) error {
	f := p.o.File
	var random [8]byte
	rand.Read(random[:])
	p.temp = filepath.FromSlash(path.Join(path.Dir(f.Path), temporary+hex.EncodeToString(random[:])))
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

// finish looks at the files again, writes them, syncs them, gives them their names
// and verifies each.
func (b *batch) finish() {
	b.each(func(p *pending) { p.kept = !b.r.again(p.o) })
	made := map[string]error{} // by folder
	for _, p := range b.files {
		if p.kept {
			continue
		}
		dir := path.Dir(p.o.File.Path)
		if _, known := made[dir]; !known {
			made[dir] = b.r.folders(dir)
		}
		p.err = made[dir]
	}
	b.each(func(p *pending) {
		if p.err == nil {
			p.err = b.r.begin(p)
		}
	})
	b.sync()
	b.each(b.settle)
	for dir := range made {
		if d, err := b.r.Target.Open(filepath.FromSlash(dir)); err == nil {
			d.Sync() // not every file system can; the bytes were verified
			d.Close()
		}
	}
	*b = batch{r: b.r}
}

// each calls do for the files that are not kept as they are.
func (b *batch) each(do func(*pending)) {
	sideBySide(len(b.files), func(i int) {
		if p := b.files[i]; !p.kept {
			do(p)
		}
	})
}

func (b *batch) sync() {
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
}

// settle gives a written file its name, unless what stands there is no longer
// what was looked at.
func (b *batch) settle(p *pending) {
	if p.err == nil && !b.r.still(p.o) {
		b.r.Target.Remove(p.temp)
		p.o.Action, p.o.Reason = Kept, changedMeanwhile
		return
	}
	if p.err == nil {
		p.err = b.r.place(p)
	}
	if p.err != nil {
		if p.temp != "" {
			b.r.Target.Remove(p.temp)
		}
		p.o.Action, p.o.Reason, p.o.NoRoom = Failed, plain(p.err), NoRoom(p.err)
	}
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
		return r.checked(p.o, "")
	}
	before := p.temp + asBefore
	_ = r.Target.Link(name, before) // where there are no hard links, what stood there is in the store
	defer r.Target.Remove(before)
	if err := r.Target.Rename(p.temp, name); err != nil {
		return err
	}
	return r.checked(p.o, before)
}

// checked verifies a file, or puts back what stood there.
func (r *Restorer) checked(o *Outcome, before string) error {
	if err := r.verify(o.File); err != nil {
		return r.undo(o, before, err)
	}
	return nil
}
