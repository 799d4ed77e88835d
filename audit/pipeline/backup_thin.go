package pipeline

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"healthaudit/snapshot/archive"
	"healthaudit/snapshot/store"
)

// A thinner says which archives archive.keep lets go of.
type thinner struct {
	keep  archive.Keep
	root  string          // of the project
	store string          // path
	made  map[string]bool // names of the archives that the store made
}

func newThinner(c *Backups, root, path string, b *backupState) *thinner {
	t := &thinner{keep: c.Keep, root: root, store: path, made: map[string]bool{}}
	for _, s := range b.Sums {
		t.made[s.File] = true
	}
	return t
}

// plan says what goes of a folder once an archive is in it. Those of others are not
// looked at: by their names, or below the folder of the store by what the store made.
// Elsewhere a clone with a copy of the store may go on making archives under the name
// that the project had.
func (t *thinner) plan(p *archive.Pending) ([]archive.Drop, error) {
	list, err := archive.List(p.Dir)
	if err != nil {
		return nil, err
	}
	file, alone := p.Name.String(), Beside(t.root, t.store, p.Dir)
	own := slices.DeleteFunc(list, func(h archive.Held) bool {
		return h.File == file || h.Owner != p.Name.Owner && !(alone && t.made[h.File])
	})
	own = append([]archive.Held{{Name: p.Name, File: file, Bytes: p.Bytes}}, own...)
	slices.SortStableFunc(own, func(a, b archive.Held) int { return b.At.Compare(a.At) })
	return t.keep.Plan(own), nil
}

// Beside reports whether a folder of archives lies below that of a store, where no
// other store makes any: that folder lies in the project itself, or holds no other store.
func Beside(root, file, dir string) bool {
	home := filepath.Dir(file)
	for _, p := range []*string{&root, &home, &dir} {
		real, err := filepath.EvalSymlinks(absolute(*p))
		if err != nil {
			return false
		}
		*p = real
	}
	below := func(above, p string) bool {
		rel, err := filepath.Rel(above, p)
		return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
	}
	return home != dir && below(home, dir) && (below(root, home) || alone(home, filepath.Base(file)))
}

// alone reports whether a folder holds no store but the one of that name, and what a
// repair of it set aside.
func alone(dir, name string) bool {
	list, err := os.ReadDir(dir)
	return err == nil && !slices.ContainsFunc(list, func(e os.DirEntry) bool {
		own := e.Name() == name || strings.HasPrefix(e.Name(), name+".")
		return !own && e.Type().IsRegular() && store.Is(filepath.Join(dir, e.Name()))
	})
}

// gone are those that go, but for those of which the second folder keeps its copy.
func (a *archiving) gone() []archive.Drop {
	if a.copy == nil {
		return a.Drop
	}
	return slices.DeleteFunc(slices.Clone(a.Drop), func(d archive.Drop) bool {
		_, err := os.Lstat(filepath.Join(a.copy.Dir, d.File))
		return err == nil && !slices.ContainsFunc(a.also, func(o archive.Drop) bool { return o.File == d.File })
	})
}

// thin removes what the plan drops.
func (a *archiving) thin() error {
	_, err := archive.Remove(a.Made.Dir, a.Drop)
	if a.copy != nil {
		_, err2 := archive.Remove(a.copy.Dir, a.also)
		err = errors.Join(err, err2)
	}
	return err
}
