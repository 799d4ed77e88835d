package archive

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A Held is one archive in a folder.
type Held struct {
	Name
	File  string // name of the file
	Bytes int64
}

// List returns the archives in a folder, whoever made them, the newest first. A
// folder that is not there has none; what is no archive by its name is left out.
func List(dir string) ([]Held, error) {
	list, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []Held
	for _, e := range list {
		n, ok := ParseName(e.Name())
		if !ok || !e.Type().IsRegular() {
			continue
		}
		st, err := e.Info()
		if err != nil { // gone in the meantime
			continue
		}
		out = append(out, Held{n, e.Name(), st.Size()})
	}
	slices.SortFunc(out, func(a, b Held) int {
		if c := b.At.Compare(a.At); c != 0 {
			return c
		}
		if a.Seq != b.Seq {
			return int(b.Seq - a.Seq)
		}
		return strings.Compare(a.File, b.File)
	})
	return out, nil
}

// Of returns those that one owner made.
func Of(owner string, list []Held) []Held {
	return slices.DeleteFunc(slices.Clone(list), func(h Held) bool { return h.Owner != owner })
}

// Keep says which archives of one owner stay. Rules add up: an archive stays
// when any of them wants it. Full and slim ones are counted apart, and the
// newest of each kind always stays.
type Keep struct {
	Last    int   // the newest so many
	Weekly  int   // the newest of each of the last so many weeks that have one (ISO 8601)
	Monthly int   // the newest of each of the last so many months that have one
	Bytes   int64 // of all together; 0 is no bound. The oldest go first
}

// A Drop is an archive that goes, and why.
type Drop struct {
	Held
	Why string
}

// Plan returns what goes of the archives of one owner, which are given the
// newest first. Periods are those of UTC.
func (k Keep) Plan(list []Held) (out []Drop) {
	stay := map[string]bool{}
	newest := map[Kind]string{}
	for _, kind := range []Kind{Full, Slim} {
		week, month := map[string]bool{}, map[string]bool{}
		n := 0
		for _, h := range list {
			if h.Kind != kind {
				continue
			}
			if n++; n == 1 {
				newest[kind] = h.File
			}
			y, w := h.At.UTC().ISOWeek()
			if n <= max(k.Last, 1) || first(week, fmt.Sprint(y, w), k.Weekly) || first(month, h.At.UTC().Format("2006-01"), k.Monthly) {
				stay[h.File] = true
			}
			week[fmt.Sprint(y, w)], month[h.At.UTC().Format("2006-01")] = true, true
		}
	}
	total := int64(0)
	for _, h := range list {
		if stay[h.File] {
			total += h.Bytes
		} else {
			out = append(out, Drop{h, "no rule of archive.keep wants it"})
		}
	}
	for _, h := range slices.Backward(list) {
		if k.Bytes > 0 && total > k.Bytes && stay[h.File] && newest[h.Kind] != h.File {
			total -= h.Bytes
			out = append(out, Drop{h, "all together are larger than archive.max_bytes"})
		}
	}
	slices.SortFunc(out, func(a, b Drop) int { return strings.Compare(a.File, b.File) })
	return out
}

// first reports whether a period is one of the first so many that have an
// archive, and has none yet.
func first(seen map[string]bool, period string, n int) bool { return !seen[period] && len(seen) < n }

// Remove takes archives away that a plan drops, and returns those that are gone.
func Remove(dir string, drop []Drop) (gone []Drop, err error) {
	for _, d := range drop {
		if err := os.Remove(filepath.Join(dir, d.File)); err != nil && !os.IsNotExist(err) {
			return gone, err
		}
		gone = append(gone, d)
	}
	return gone, nil
}
