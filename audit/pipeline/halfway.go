package pipeline

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"

	"healthaudit/audit"
	"healthaudit/rules"
	"healthaudit/snapshot"
	"healthaudit/snapshot/archive"
	"healthaudit/snapshot/store"
)

// metaRestores is where the store keeps the restores that are under way.
const metaRestores = "restores"

// maxBegun is how many of them are kept: each takes a crash.
const maxBegun = 10

// A begun is a restore that is under way, or was when something killed it.
type begun struct {
	Entry uint64 `json:"entry"` // of the journal: its intent
	Again string `json:"again"` // the command that does it once more
}

func readBegun(tx *store.Tx) (list []begun, err error) {
	if raw := tx.Meta(metaRestores); len(raw) > 0 {
		err = json.Unmarshal(raw, &list)
	}
	return list, err
}

// BeginRestore notes a restore, whose intent is the newest entry of the journal, until
// EndRestores. Again is the command that does the same once more.
func BeginRestore(tx *store.Tx, again string) error {
	list, err := readBegun(tx)
	if err != nil {
		return err
	}
	list = append(list, begun{tx.JournalHead(), again})
	return writeBegun(tx, list[max(0, len(list)-maxBegun):])
}

// EndRestores forgets restores by the numbers of their entries.
func EndRestores(tx *store.Tx, entries ...uint64) error {
	list, err := readBegun(tx)
	if err != nil || len(list) == 0 || len(entries) == 0 {
		return err
	}
	return writeBegun(tx, slices.DeleteFunc(list, func(b begun) bool { return slices.Contains(entries, b.Entry) }))
}

func writeBegun(tx *store.Tx, list []begun) error {
	if len(list) == 0 {
		return tx.PutMeta(metaRestores, nil)
	}
	raw, err := json.Marshal(list)
	if err != nil {
		return err
	}
	return tx.PutMeta(metaRestores, raw)
}

// Halfway returns the restores that something killed and that are still neither done
// nor undone, the newest of each folder, and the entries of those that are, by what
// stands on the disk now: over is only what was seen whole. Of whom the journal, or what
// it takes to undo them, is lost nothing can be told.
func Halfway(tx *store.Tx, root string) (half []audit.Halfway, over []uint64, err error) {
	list, err := readBegun(tx)
	if err != nil {
		return nil, nil, err
	}
	for _, b := range list {
		e, files, err := begunFiles(tx, b.Entry)
		if err != nil {
			continue
		}
		h := audit.Halfway{Entry: b.Entry, At: e.At, Files: len(files), Again: b.Again, Back: "audit restore --undo " + strconv.FormatUint(b.Entry, 10)}
		if e.Item != root {
			h.Target = e.Item
			h.Back += " --target " + snapshot.ShellWord(e.Item)
		}
		n, err := stand(e.Item, files)
		h.Written = n.done
		switch {
		case err != nil: // the folder is not there, for now or for ever
		case n.done > 0 && n.before > 0: // of two into one folder the newer comes first
			half = append(slices.DeleteFunc(half, func(o audit.Halfway) bool { return o.Target == h.Target }), h)
		case n.unseen == 0:
			over = append(over, b.Entry)
		}
	}
	return half, over, nil
}

// begunFiles returns the intent of a restore, and the files it was to change.
func begunFiles(tx *store.Tx, entry uint64) (e rules.Entry, list []undone, err error) {
	found := false
	err = tx.Journal(entry, func(n uint64, raw []byte) bool {
		found = n == entry && json.Unmarshal(raw, &e) == nil
		return false
	})
	if err == nil && !found {
		err = store.ErrNoBlob
	}
	if err == nil {
		list, err = readUndo(tx, e.Data[undoKey])
	}
	return e, list, err
}

// A stood counts the files of a restore by how they are now. What somebody changed
// since is neither done nor before.
type stood struct {
	done   int // as the restore was to make them
	before int // as they were
	unseen int // how they are is not known for certain
}

// stand looks at the files of a restore.
func stand(target string, files []undone) (n stood, err error) {
	root, err := os.OpenRoot(target)
	if err != nil {
		return n, err
	}
	defer root.Close()
	for _, u := range files {
		is, err := standsAt(root, string(u.Path))
		none := errors.Is(err, fs.ErrNotExist)
		if err != nil && !none {
			n.unseen++
			continue
		}
		if none && !present(root, path.Dir(string(u.Path))) {
			n.unseen++ // a disk that is not mounted may have it
		}
		same := func(sum string, link []byte, mode fs.FileMode) bool {
			return !none && is.SHA256 == sum && is.Link == string(link) && (is.Link != "" || runtime.GOOS == "windows" || is.Mode.Perm() == mode.Perm())
		}
		switch {
		case u.Gone && none, !u.Gone && same(u.Is, u.Link2, u.Mode2):
			n.done++
		case u.Was == "" && none, u.Was != "" && same(u.Was, u.Link, u.Mode):
			n.before++
		}
	}
	return n, nil
}

// maxStands bounds a file that is read to tell how it stands, in bytes: no file that is
// kept, and no dump of PM2, is larger.
const maxStands = 64 << 20

// standsAt is what stands at a path, without a digest where no restore can have
// written it.
func standsAt(root *os.Root, p string) (snapshot.File, error) {
	st, err := root.Lstat(filepath.FromSlash(p))
	if err != nil || st.Mode()&fs.ModeSymlink == 0 && (!st.Mode().IsRegular() || st.Size() > maxStands) {
		return snapshot.File{}, err
	}
	return archive.Standing(root, p)
}

func present(root *os.Root, p string) bool {
	_, err := root.Lstat(filepath.FromSlash(p))
	return err == nil
}
