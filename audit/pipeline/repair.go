package pipeline

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"healthaudit/snapshot"
	"healthaudit/snapshot/store"
)

// A Source may have the bytes of files that the store lost: the working tree, an
// archive. Find is told of the paths of all that are still missing, by digest, and
// hands over what it has; have takes only what is missing and has that digest, and
// takes it from missing. An error of Find ends the repair.
type Source struct {
	Name string
	Find func(missing map[string]string, have func(sha string, b []byte) error) error
}

// A kept is a file whose bytes a store should have.
type kept struct {
	path      string
	snapshots int // that show it
}

// keptFiles returns all files that snapshots refer to, by digest.
func keptFiles(tx *store.Tx) (map[string]kept, error) {
	all, err := fates(tx)
	if err != nil {
		return nil, err
	}
	out := map[string]kept{}
	err = tx.Versions(func(table, id string, since, until uint64, value []byte) error {
		path := ""
		if table == tableState && id == rowTree {
			path = "the list of the project's files"
		}
		files := map[string]string{}
		err := refersTo(table, id, value, func(sha string) { files[sha] = path })
		if err != nil {
			return err
		}
		if table == tableState && id == rowContext {
			var context []snapshot.File
			if err := json.Unmarshal(value, &context); err != nil {
				return err
			}
			name(files, context)
		}
		if table == tableItem {
			it, err := snapshot.DecodeItem(string(value))
			if err != nil {
				return err
			}
			name(files, it.Files)
		}
		for sha, path := range files {
			if sha == "" {
				continue
			}
			k := out[sha]
			if k.path == "" || path != "" && path < k.path {
				k.path = path
			}
			k.snapshots = max(k.snapshots, between(all, since, until))
			out[sha] = k
		}
		return nil
	})
	return out, err
}

// name notes the paths of files that have bytes, by digest.
func name(paths map[string]string, files []snapshot.File) {
	for _, f := range files {
		if f.Link == "" {
			paths[f.SHA256] = f.Path
		}
	}
}

// between counts the snapshots from one number to the one before another.
func between(all []Fate, since, until uint64) int {
	at := func(seq uint64) int {
		n, _ := slices.BinarySearchFunc(all, seq, func(f Fate, seq uint64) int {
			if f.Seq < seq {
				return -1
			}
			return int(min(f.Seq-seq, 1))
		})
		return n
	}
	return at(until) - at(since)
}

// Words says of every problem what it means for a person, each once: "blob of
// scripts/x.sh, in 3 snapshots". Without a transaction, files have no names.
func Words(tx *store.Tx, problems []store.Problem) []string {
	var files map[string]kept
	if tx != nil {
		files, _ = keptFiles(tx) // what is damaged may keep it from being read: then the digest must do
	}
	said := map[string]bool{}
	var out []string
	for _, p := range leftOut(inARow(problems)) {
		if s := words(p, files); !said[s] {
			said[s] = true
			out = append(out, s)
		}
	}
	return out
}

// A placed is a problem of one row or of several that say the same.
type placed struct {
	store.Problem
	at   store.Place
	also []uint64 // further snapshots from which on a state is lost
}

// leftOut makes one of all states of an id that a repair had to leave out, and drops
// what only says why.
func leftOut(rows []placed) (out []placed) {
	lost := map[[2]string][]uint64{}
	for _, p := range rows {
		if p.What == store.StateLost {
			id := [2]string{p.at.Table, p.at.ID}
			lost[id] = append(lost[id], p.at.Seq)
		}
	}
	for _, p := range rows {
		seqs := lost[[2]string{p.at.Table, p.at.ID}]
		switch {
		case p.What == store.StateLost:
			slices.Sort(seqs)
			if p.at.Seq != seqs[0] {
				continue
			}
			p.also = seqs[1:]
		case p.at.Bucket == "cur" && len(seqs) > 0, p.at.Bucket == "ver" && slices.Contains(seqs, p.at.Seq):
			continue
		}
		out = append(out, p)
	}
	return out
}

// inARow makes one of what is wrong alike with versions of one id that followed each
// other: one damaged row may be what they are all differences from.
func inARow(problems []store.Problem) (out []placed) {
	for _, p := range problems {
		at := p.Place()
		if n := len(out); n > 0 && at.Bucket == "ver" && at.Upto > 0 {
			if last := &out[n-1]; last.at.Bucket == "ver" && last.at.Table == at.Table && last.at.ID == at.ID && last.What == p.What && at.Upto+1 == last.at.Seq {
				last.at.Seq = at.Seq
				continue
			}
		}
		out = append(out, placed{Problem: p, at: at})
	}
	return out
}

func words(p placed, files map[string]kept) string {
	at := p.at
	p.What = strings.TrimPrefix(p.What, "blob "+at.Blob+": ")
	switch at.Bucket {
	case "blob":
		if k, ok := files[at.Blob]; ok && k.path != "" {
			n := "1 snapshot"
			if k.snapshots != 1 {
				n = fmt.Sprintf("%d snapshots", k.snapshots)
			}
			return fmt.Sprintf("blob of %s, in %s (%.12s): %s", k.path, n, at.Blob, p.What)
		}
		return fmt.Sprintf("blob %.12s, which no item has: %s", at.Blob, p.What)
	case "cur", "ver", "chg":
		since := ""
		switch {
		case at.Upto == at.Seq && at.Bucket == "ver":
			since = fmt.Sprintf(", in #%d", at.Seq)
		case at.Upto > 0:
			since = fmt.Sprintf(", in #%d to #%d", at.Seq, at.Upto)
		case at.Bucket != "cur":
			since = fmt.Sprintf(", from #%d%s on", at.Seq, andAlso(p.also))
		}
		what := map[string]string{tableItem: "state of ", tableFinding: "finding ", tableRegression: "regression ", tableCursor: "reading position of ", tableState: "the run's "}[at.Table]
		if what == "" {
			what = at.Table + " "
		}
		if at.Table == tableFinding {
			at.ID = at.ID[:min(12, len(at.ID))]
		}
		return what + at.ID + since + ": " + p.What
	case "snap":
		return fmt.Sprintf("snapshot #%d: %s", at.Seq, p.What)
	case "snapid":
		return fmt.Sprintf("id %s of a snapshot: %s", at.Name, p.What)
	case "obs":
		return fmt.Sprintf("readings of %s in #%d: %s", at.Name, at.Seq, p.What)
	case "journal":
		return fmt.Sprintf("journal entry %d: %s", at.Seq, p.What)
	case "cache":
		kind, _, _ := strings.Cut(at.Name, ":")
		kind, _, _ = strings.Cut(kind, "/")
		return "an analysis (" + kind + "), which can be made again: " + p.What
	case "stat":
		return "note on when " + at.Name + " was read, which can be made again: " + p.What
	}
	return p.Where + ": " + p.What
}

// andAlso lists further snapshots, the first few of them.
func andAlso(seqs []uint64) string {
	const most = 3
	var b strings.Builder
	for i, seq := range seqs {
		sep := ", "
		if i+1 == len(seqs) {
			sep = " and "
		} else if i == most {
			fmt.Fprintf(&b, " and %d more", len(seqs)-most)
			break
		}
		fmt.Fprintf(&b, "%s#%d", sep, seq)
	}
	return b.String()
}

// A Refill says which of the lost bytes a source still had.
type Refill struct {
	Path, From string
}

// Fill puts back the bytes that snapshots refer to and the store has not, where a
// source has them, and returns what it found and the paths of what it did not. Sources
// are asked in their order, each for what those before it did not have.
func Fill(st *store.Store, sources []Source) (found []Refill, lost []string, err error) {
	err = st.Update(func(tx *store.Tx) error {
		files, err := keptFiles(tx)
		if err != nil {
			return err
		}
		missing := map[string]string{}
		for sha, k := range files {
			if !tx.HasBlob(sha) {
				missing[sha] = k.path
			}
		}
		for _, s := range sources {
			if len(missing) == 0 {
				break
			}
			err := s.Find(missing, func(sha string, b []byte) error {
				path, wanted := missing[sha]
				if !wanted || snapshot.Sum(b) != sha {
					return nil
				}
				delete(missing, sha)
				found = append(found, Refill{path, s.Name})
				return tx.PutBlob(sha, b, "")
			})
			if err != nil {
				return err
			}
		}
		lost = slices.Sorted(maps.Values(missing))
		if len(found) > 0 { // checks may find more in them
			if err := tx.PutCache(standstillKey, nil); err != nil {
				return err
			}
		}
		return dropStamps(tx)
	})
	slices.SortFunc(found, func(a, b Refill) int { return strings.Compare(a.Path, b.Path) })
	return found, lost, err
}

// dropStamps forgets the stamps of files whose bytes are not there: the next run
// reads them again.
func dropStamps(tx *store.Tx) error {
	var gone []string
	err := tx.ScanStat(func(path string, v []byte) bool {
		if s, ok := decodeStamp(v); !ok || !tx.HasBlob(s.SHA256) {
			gone = append(gone, path)
		}
		return true
	})
	for _, path := range gone {
		err = cmp.Or(err, tx.DeleteStat(path))
	}
	return err
}
