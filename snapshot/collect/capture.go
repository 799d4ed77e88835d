package collect

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/waiver"
	"healthaudit/snapshot/host"
)

// MaxFile is the largest file whose bytes are captured: automation is text,
// and what is larger is reported by its size alone.
const MaxFile = 8 << 20

// ErrSensitive is returned for files whose bytes may be secret: they are
// listed, never read.
var ErrSensitive = errors.New("may hold secrets, not read")

// A Stamp is what the last run knew of an unchanged file.
type Stamp struct {
	Stat   host.Stat
	SHA256 string
	Waives bool // there may be waivers in it
}

// Capture reads files for items: each file once, unchanged files not at all.
// It is safe for concurrent use.
type Capture struct {
	Host host.Host
	// Known returns the stamp the last run left for a path; nil: none.
	Known func(path string) (Stamp, bool)
	// Keep takes the bytes of a captured file into the store. It may be called
	// several times with the same digest and must not keep b after it returns.
	Keep func(sha256 string, b []byte)

	mu     sync.Mutex
	files  map[string]*captured
	stamps map[string]Stamp
	begun  time.Time
	held   [64]*captured // those that were read last
	next   int           // in held
}

type captured struct {
	once  sync.Once
	file  snapshot.File
	err   error
	waive bool
	bytes []byte // until Bytes asks for them, which as a rule is at once
}

// maxHeld is the largest file, in bytes, that is held for Bytes.
const maxHeld = 256 << 10

// harmless are the words of a name that make an environment file an example.
var harmless = map[string]bool{"example": true, "examples": true, "sample": true, "samples": true, "template": true,
	"tmpl": true, "tpl": true, "dist": true, "default": true, "defaults": true}

// Sensitive reports whether a file of that name may hold secrets: its bytes
// are never captured, nor a digest of them. Examples and samples are not.
func Sensitive(p string) bool {
	name := strings.ToLower(path.Base(p))
	if strings.HasPrefix(name, ".env") || strings.HasSuffix(name, ".env") {
		words := strings.FieldsFunc(name, func(r rune) bool { return r == '.' || r == '-' || r == '_' })
		return !slices.ContainsFunc(words, func(w string) bool { return harmless[w] })
	}
	switch name {
	case ".npmrc", ".netrc", ".pgpass", ".git-credentials", "credentials.json", "module_conf.json", ".htpasswd",
		"id_rsa", "id_dsa", "id_ecdsa", "id_ed25519":
		return true
	}
	return strings.HasPrefix(name, "dump.pm2") || strings.HasSuffix(name, ".pem") || strings.HasSuffix(name, ".key") ||
		strings.HasSuffix(name, ".p12") || strings.HasSuffix(name, ".pfx")
}

// Count returns how many files have been asked for so far.
func (c *Capture) Count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.files)
}

// File returns the file at a path and sees to it that its bytes are kept. With
// an error the File still says what is known: path, mode and size. Errors:
// fs.ErrNotExist, fs.ErrPermission, host.ErrNotRegular, host.ErrTooLarge,
// ErrSensitive. A symbolic link is captured as such, its target not read.
func (c *Capture) File(p string, role snapshot.Role) (snapshot.File, error) {
	c.mu.Lock()
	if c.files == nil {
		c.files, c.stamps, c.begun = map[string]*captured{}, map[string]Stamp{}, c.Host.Now()
	}
	got := c.files[p]
	if got == nil {
		got = &captured{}
		c.files[p] = got
	}
	c.mu.Unlock()
	got.once.Do(func() {
		var stamp *Stamp
		var b []byte
		got.file, stamp, b, got.err = c.read(p)
		c.mu.Lock()
		defer c.mu.Unlock()
		if stamp != nil {
			got.waive = stamp.Waives
			if b != nil {
				c.stamps[p] = *stamp
			}
		}
		if len(b) > 0 && len(b) <= maxHeld {
			c.hold(got, b)
		}
	})
	f := got.file
	f.Role = role
	if role == snapshot.Own {
		f.Role = ""
	}
	return f, got.err
}

// read returns a file with its stamp and, unless that is known already, its bytes.
func (c *Capture) read(p string) (snapshot.File, *Stamp, []byte, error) {
	f := snapshot.File{Path: p}
	st, err := c.Host.Stat(p)
	if err != nil {
		return f, nil, nil, err
	}
	f.Mode, f.Size = st.Mode, st.Size
	switch {
	case st.Mode&fs.ModeSymlink != 0:
		l, err := c.Host.Link(p)
		if err != nil {
			return f, nil, nil, err
		}
		f.Link, f.SHA256 = l, snapshot.Sum([]byte(l))
		return f, nil, nil, nil
	case !st.Mode.IsRegular():
		return f, nil, nil, fmt.Errorf("%s: %w", p, host.ErrNotRegular)
	case Sensitive(p):
		return f, nil, nil, fmt.Errorf("%s: %w", p, ErrSensitive)
	case st.Size > MaxFile:
		return f, nil, nil, fmt.Errorf("%s: %d bytes: %w", p, st.Size, host.ErrTooLarge)
	}
	if c.Known != nil {
		if k, ok := c.Known(p); ok && k.Stat == st {
			f.SHA256 = k.SHA256
			return f, &k, nil, nil
		}
	}
	b, err := c.Host.Read(p, MaxFile)
	if err != nil {
		return f, nil, nil, err
	}
	f.Size, f.SHA256 = int64(len(b)), snapshot.Sum(b)
	if c.Keep != nil {
		c.Keep(f.SHA256, b)
	}
	// A file written within the clock's granularity of being read could change
	// again without its stat changing: its stamp has no Stat and matches nothing
	// (git's "racy" rule), but takes the room that the next run's will need. The
	// time of the bytes can be set back, that of the change cannot.
	if st.Size == f.Size && max(st.MTime, st.CTime) < c.begun.Add(-2*time.Second).UnixNano() {
		return f, &Stamp{Stat: st, SHA256: f.SHA256, Waives: waiver.In(b)}, b, nil
	}
	return f, &Stamp{SHA256: f.SHA256, Waives: waiver.In(b)}, b, nil
}

// Waiving returns the files captured so far in which there may be waivers, sorted.
func (c *Capture) Waiving() []snapshot.File {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []snapshot.File
	for _, got := range c.files {
		if got.waive {
			out = append(out, got.file)
		}
	}
	slices.SortFunc(out, func(a, b snapshot.File) int { return strings.Compare(a.Path, b.Path) })
	return out
}

// Bytes returns the bytes of a captured file, not to be changed. Where they are
// not at hand any more it reads the file again, and fails when it changed since.
func (c *Capture) Bytes(f snapshot.File) ([]byte, error) {
	if f.SHA256 == "" || f.Link != "" {
		return nil, fmt.Errorf("%s: bytes were not captured", f.Path)
	}
	if b := c.release(f); b != nil {
		return b, nil
	}
	b, err := c.Host.Read(f.Path, MaxFile)
	if err != nil {
		return nil, err
	}
	if snapshot.Sum(b) != f.SHA256 {
		return nil, fmt.Errorf("%s: changed while it was audited", f.Path)
	}
	return b, nil
}

func (c *Capture) hold(got *captured, b []byte) {
	if old := c.held[c.next]; old != nil {
		old.bytes = nil
	}
	got.bytes, c.held[c.next] = b, got
	c.next = (c.next + 1) % len(c.held)
}

// release gives up the bytes that are held for a file, if they are.
func (c *Capture) release(f snapshot.File) (b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if got := c.files[f.Path]; got != nil && got.file.SHA256 == f.SHA256 {
		b, got.bytes = got.bytes, nil
	}
	return b
}

// Stamps returns what to remember of the files that were captured, by path; what
// is known already is left out.
func (c *Capture) Stamps() map[string]Stamp {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.stamps)
}
