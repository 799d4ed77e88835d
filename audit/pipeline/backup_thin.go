package pipeline

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"healthaudit/snapshot/archive"
)

// A thinner says which archives archive.keep lets go of.
type thinner struct {
	keep archive.Keep
	home string          // the folder of the store
	made map[string]bool // names of the archives that the store made
}

func newThinner(c *Backups, path string, b *backupState) *thinner {
	t := &thinner{keep: c.Keep, home: filepath.Dir(path), made: map[string]bool{}}
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
	file, alone := p.Name.String(), Beside(t.home, p.Dir)
	own := slices.DeleteFunc(list, func(h archive.Held) bool {
		return h.File == file || h.Owner != p.Name.Owner && !(alone && t.made[h.File])
	})
	own = append([]archive.Held{{Name: p.Name, File: file, Bytes: p.Bytes}}, own...)
	slices.SortStableFunc(own, func(a, b archive.Held) int { return b.At.Compare(a.At) })
	return t.keep.Plan(own), nil
}

// Beside reports whether a folder of archives lies below that of a store, where no
// other store makes any.
func Beside(home, dir string) bool {
	for _, p := range []*string{&home, &dir} {
		real, err := filepath.EvalSymlinks(*p)
		if err != nil {
			return false
		}
		*p = real
	}
	rel, err := filepath.Rel(home, dir)
	return err == nil && rel != "." && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
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
