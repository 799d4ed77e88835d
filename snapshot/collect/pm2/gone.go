package pm2

import (
	"cmp"
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"healthaudit/snapshot"
)

// goneFact is the fact that names what a running app can no longer be started
// with: its script, its cwd, its interpreter. What cannot be looked at is not
// among them.
const goneFact = "gone"

// maxPath bounds the folders of a PATH that are looked into.
const maxPath = 100

func (b *builder) gone(it *snapshot.Item, p *process) {
	var gone []string
	for _, x := range []struct{ name, path string }{{"script", p.ExecPath}, {"cwd", p.Cwd}} {
		if filepath.IsAbs(x.path) && b.isGone(x.path) {
			gone = append(gone, x.name)
		}
	}
	if p.setting("exec_mode") == "fork_mode" && b.lacksInterpreter(p) { // a cluster runs in the daemon's own node
		gone = append(gone, "interpreter")
	}
	if len(gone) > 0 {
		it.Add(snapshot.Volatile, goneFact, snapshot.SetOf(gone...))
	}
}

// isGone reports whether nothing is at an absolute path, also behind links.
func (b *builder) isGone(p string) bool { return errors.Is(b.stat(p).err, fs.ErrNotExist) }

// A seen is what stands at an absolute path, links followed.
type seen struct {
	mode fs.FileMode
	err  error
}

// stat looks at every path once: the apps of one user have one PATH.
func (b *builder) stat(p string) seen {
	s, ok := b.seen[p]
	if !ok {
		s = b.look(p)
		b.seen[p] = s
	}
	return s
}

func (b *builder) look(p string) seen {
	if b.top == nil {
		top, err := b.s.Host.Outside("/")
		if err != nil {
			return seen{err: err}
		}
		b.top = top
	}
	p = strings.TrimPrefix(resolve(b.top, p), "/")
	st, err := b.top.Stat(cmp.Or(p, "."))
	return seen{st.Mode, err}
}

// lacksInterpreter reports whether what is to run the script is nowhere: PM2
// starts it with the PATH of the app.
func (b *builder) lacksInterpreter(p *process) bool {
	name := p.setting("exec_interpreter")
	switch {
	case name == "" || name == "none":
		return false
	case filepath.IsAbs(name):
		return b.isGone(name)
	case path.Base(name) != name:
		return false
	}
	folders := filepath.SplitList(p.vars.text("PATH"))
	if len(folders) == 0 {
		folders = filepath.SplitList(p.flat.text("PATH"))
	}
	if len(folders) == 0 || len(folders) > maxPath {
		return false
	}
	for _, dir := range folders {
		if !filepath.IsAbs(dir) {
			return false // relative to who knows what
		}
		switch s := b.stat(filepath.Join(dir, name)); {
		case s.err == nil && s.mode.Perm()&0o111 != 0:
			return false
		case s.err != nil && !errors.Is(s.err, fs.ErrNotExist):
			return false
		}
	}
	return true
}
