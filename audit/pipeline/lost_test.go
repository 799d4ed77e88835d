package pipeline

import (
	"bytes"
	"encoding/binary"
	"maps"
	"os"
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"

	"healthaudit/audit"
	"healthaudit/audit/check"
	"healthaudit/audit/condition"
	"healthaudit/snapshot"
	"healthaudit/snapshot/collect/all"
	"healthaudit/snapshot/store"
)

// TestChange_lost: of an item of which the store lost this state or the one before,
// and of all where the snapshot before is not there, nobody knows whether it changed:
// a report says so, and a condition is told so.
func TestChange_lost(t *testing.T) {
	p := newProject(t)
	p.write("tools/y.sh", goodScript)
	p.run("off")
	p.write("tools/x.sh", goodScript+"curl -sf https://example.com\n")
	p.run("off")
	p.write("tools/z.sh", goodScript)
	p.run("off")
	path := filepath.Join(p.root, ".audit", "audit.db")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	x, y, z := snapshot.Key("scripts/tools/x.sh"), snapshot.Key("scripts/tools/y.sh"), snapshot.Key("scripts/tools/z.sh")
	cur := func(k snapshot.Key) []byte { return []byte("item\x00" + k) }
	header := func(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }
	for _, c := range []struct {
		name   string
		seq    uint64
		damage func(*bolt.Tx) error
		want   map[snapshot.Key]string
	}{
		{"sound, the first", 1, nil, map[snapshot.Key]string{x: "added", y: "added"}},
		{"sound, the second", 2, nil, map[snapshot.Key]string{x: "changed", y: "unchanged"}},
		{"sound, the third", 3, nil, map[snapshot.Key]string{x: "unchanged", y: "unchanged", z: "added"}},
		{"a state of now", 3, damaged("cur", cur(y)), map[snapshot.Key]string{x: "unchanged", y: "unknown", z: "added"}},
		{"a state of now that is new", 3, damaged("cur", cur(z)), map[snapshot.Key]string{x: "unchanged", y: "unchanged", z: "unknown"}},
		{"a state of the first", 1, damaged("cur", cur(y)), map[snapshot.Key]string{x: "added", y: "unknown"}},
		{"the state before", 2, damaged("ver", cur(x)), map[snapshot.Key]string{x: "unknown", y: "unchanged"}},
		{"the header before", 3, damaged("snap", header(2)), map[snapshot.Key]string{x: "unknown", y: "unknown", z: "unknown"}},
		{"the header after", 2, damaged("snap", header(3)), map[snapshot.Key]string{x: "changed", y: "unchanged"}},
		{"the header before that", 3, damaged("snap", header(1)), map[snapshot.Key]string{x: "unchanged", y: "unchanged", z: "added"}},
	} {
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		if c.damage != nil {
			change(t, path, c.damage)
		}
		changeIs(t, c.name, path, c.seq, c.want)
	}

	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, seq := range []uint64{1, 2} {
		if err := st.Update(func(tx *store.Tx) error { _, err := tx.Drop(seq, func(string) bool { return false }); return err }); err != nil {
			t.Fatal(err)
		}
	}
	st.Close()
	changeIs(t, "those before are pruned", path, 3, map[snapshot.Key]string{x: "unknown", y: "unknown", z: "unknown"})
}

// change writes into a store without its leave.
func change(t *testing.T, path string, fn func(*bolt.Tx) error) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, &bolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Update(fn); err != nil {
		t.Fatal(err)
	}
}

// damaged changes one bit of the check of the first row whose key begins so.
func damaged(bucket string, key []byte) func(*bolt.Tx) error {
	return func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte(bucket))
		k, row := b.Cursor().Seek(key)
		row = bytes.Clone(row)
		row[0] ^= 1
		return b.Put(bytes.Clone(k), row)
	}
}

// changeIs compares what a report and conditions say of the change of every item.
func changeIs(t *testing.T, name, path string, seq uint64, want map[snapshot.Key]string) {
	t.Helper()
	st, err := store.Open(path, store.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	err = st.View(func(tx *store.Tx) error {
		tx.Forgive()
		v, err := Load(tx, seq, all.Collectors, check.All())
		if err != nil {
			return err
		}
		shown, told := map[snapshot.Key]string{}, map[snapshot.Key]string{}
		for _, it := range v.Summary("test").Items {
			shown[snapshot.Key(it.Key)] = it.Change
		}
		changed, err := condition.Compile(`item.change != "unchanged"`, condition.Vocabulary{})
		if err != nil {
			return err
		}
		j := condition.NewJudge()
		for _, s := range v.World(nil, v.Info.Started).Subjects {
			if j.About(&s); s.Item.Key.IsPseudo() {
				continue
			}
			told[s.Item.Key] = s.Change
			if is, err := j.Eval(changed); (err != nil) != (s.Change == audit.Unknown) || is && s.Change == audit.Unchanged {
				t.Errorf("%s: of %s, which is %s, a condition is told %v, %v", name, s.Item.Key, s.Change, is, err)
			}
		}
		if !maps.Equal(shown, want) || !maps.Equal(told, want) {
			t.Errorf("%s: a report shows %v, a condition is told %v, want %v", name, shown, told, want)
		}
		return nil
	})
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
}
