package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"healthaudit/rules"
	"healthaudit/snapshot"
	"healthaudit/snapshot/archive"
	"healthaudit/snapshot/store"
)

// An undone is one file of a restore: what stood there, and what came instead.
type undone struct {
	Path  []byte      `json:"path"` // bytes: JSON cannot say every name
	Mode  fs.FileMode `json:"mode,omitempty"`
	Size  int64       `json:"size,omitempty"`
	Was   string      `json:"was,omitempty"` // digest; empty: nothing stood there
	Link  []byte      `json:"link,omitempty"`
	Gone  bool        `json:"gone,omitempty"` // nothing came instead
	Is    string      `json:"is,omitempty"`
	Mode2 fs.FileMode `json:"is_mode,omitempty"`
	Link2 []byte      `json:"is_link,omitempty"`
}

// undoKey is where an entry of the journal names the blob with what it takes to
// undo it.
const undoKey = "undo"

// KeepUndo puts into the store what it takes to undo a restore, and names it in
// the entry of the journal. The bytes themselves are there already.
func KeepUndo(tx *store.Tx, e *rules.Entry, plan []archive.Outcome) error {
	var list []undone
	for _, o := range plan {
		if !o.Changes() {
			continue
		}
		u := undone{Path: []byte(o.File.Path), Gone: o.Gone}
		if o.Before.Path != "" {
			u.Mode, u.Size, u.Was, u.Link = o.Before.Mode, o.Before.Size, o.Was, []byte(o.Before.Link)
		}
		if !o.Gone {
			u.Is, u.Mode2, u.Link2 = o.File.SHA256, o.File.Mode, []byte(o.File.Link)
		}
		list = append(list, u)
	}
	b, err := json.Marshal(list)
	if err != nil {
		return err
	}
	sum := snapshot.Sum(b)
	e.Data = map[string]string{undoKey: sum}
	for i, u := range list { // what takes away bytes that nothing needs goes by the journal
		if u.Was != "" {
			e.Data[fmt.Sprintf("was %d", i+1)] = u.Was
		}
	}
	return tx.PutBlob(sum, b, "")
}

// Undo reads what an entry of the journal did to files: what is wanted back, and
// what stands there if nobody touched it since.
func Undo(tx *store.Tx, seq uint64) (wanted []archive.Wanted, now map[string]snapshot.File, target string, err error) {
	var e rules.Entry
	found := false
	err = tx.Journal(seq, func(n uint64, raw []byte) bool {
		found = n == seq && json.Unmarshal(raw, &e) == nil
		return false
	})
	switch {
	case err != nil:
		return nil, nil, "", err
	case !found:
		return nil, nil, "", fmt.Errorf("the journal has no entry %d", seq)
	case e.Data[undoKey] == "":
		return nil, nil, "", fmt.Errorf("entry %d of the journal is no restore that can be undone", seq)
	}
	list, err := readUndo(tx, e.Data[undoKey])
	if err != nil {
		return nil, nil, "", err
	}
	now = map[string]snapshot.File{}
	for _, u := range list {
		p := string(u.Path)
		mode := u.Was == u.Is && len(u.Link)+len(u.Link2) == 0
		wanted = append(wanted, archive.Wanted{Gone: u.Was == "", Mode: mode, File: snapshot.File{Path: p, Mode: u.Mode, Size: u.Size, SHA256: u.Was, Link: string(u.Link)}})
		if !u.Gone {
			now[p] = snapshot.File{Path: p, Mode: u.Mode2, SHA256: u.Is, Link: string(u.Link2)}
		}
	}
	return wanted, now, e.Item, nil
}

func readUndo(tx *store.Tx, sum string) (list []undone, err error) {
	b, err := tx.Blob(sum)
	if errors.Is(err, store.ErrNoBlob) {
		return nil, errors.New("what it takes to undo it is not kept any more")
	}
	if err != nil {
		return nil, err
	}
	return list, json.Unmarshal(b, &list)
}
