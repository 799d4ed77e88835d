package store

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	mrand "math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"healthaudit/snapshot"

	bolt "go.etcd.io/bbolt"
)

var seedFlag = flag.Uint64("store.seed", 0, "seed of the random tests; 0 takes a new one")

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// random returns a source whose seed stands in the log of a failing test.
func random(t testing.TB) *mrand.Rand {
	seed := *seedFlag
	if seed == 0 {
		var b [8]byte
		rand.Read(b[:])
		seed = binary.BigEndian.Uint64(b[:])
	}
	t.Logf("to repeat: -store.seed=%d", seed)
	return mrand.New(mrand.NewPCG(seed, 0))
}

func newPath(t testing.TB) string { return filepath.Join(t.TempDir(), Folder, "audit.db") }

func mustOpen(t testing.TB, path string, o Options) *Store {
	t.Helper()
	o.Now, o.Host = noon, "ada"
	s, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func create(t testing.TB) *Store { return mustOpen(t, newPath(t), Options{Create: true}) }

func update(t testing.TB, s *Store, fn func(tx *Tx) error) {
	t.Helper()
	if err := s.Update(fn); err != nil {
		t.Fatal(err)
	}
}

func view(t testing.TB, s *Store, fn func(tx *Tx) error) {
	t.Helper()
	if err := s.View(fn); err != nil {
		t.Fatal(err)
	}
}

func verified(t testing.TB, s *Store) {
	t.Helper()
	found, err := s.Verify(t.Context(), true)
	if err != nil || len(found) > 0 {
		t.Fatalf("verify: %v %v", found, err)
	}
}

// snap appends a snapshot with a made-up id.
func snap(t testing.TB, tx *Tx) uint64 {
	t.Helper()
	seq, err := tx.AppendSnapshot(Header{ID: fmt.Sprintf("01SNAP%06d", tx.Seq()+1), At: noon, Score: -1})
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

func TestOpen(t *testing.T) {
	t.Run("makes a private folder that git ignores", func(t *testing.T) {
		path := newPath(t)
		s := mustOpen(t, path, Options{Create: true})
		for p, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
			if fi, err := os.Stat(p); err != nil || fi.Mode().Perm() != want {
				t.Errorf("%s: mode %v, want %v (%v)", p, fi.Mode().Perm(), want, err)
			}
		}
		if b, _ := os.ReadFile(filepath.Join(filepath.Dir(path), ".gitignore")); string(b) != "*\n" {
			t.Errorf(".gitignore is %q", b)
		}
		if left, _ := filepath.Glob(path + ".new-*"); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
		verified(t, s)
	})
	t.Run("keeps identity and key", func(t *testing.T) {
		s := create(t)
		id, key := s.ID(), s.Key()
		s.Close()
		s = mustOpen(t, s.Path(), Options{})
		at, host := s.Created()
		if len(id) != 36 || s.ID() != id || len(key) != 32 || !bytes.Equal(s.Key(), key) || !at.Equal(noon) || host != "ada" {
			t.Errorf("id %q then %q, key %d bytes, same %v, created %v on %s", id, s.ID(), len(key), bytes.Equal(s.Key(), key), at, host)
		}
		if other := create(t); other.ID() == id || bytes.Equal(other.Key(), key) {
			t.Error("two stores share id or key")
		}
	})
	t.Run("repairs the mode of the file", func(t *testing.T) {
		s := create(t)
		s.Close()
		os.Chmod(s.Path(), 0o644)
		mustOpen(t, s.Path(), Options{})
		if fi, _ := os.Stat(s.Path()); fi.Mode().Perm() != 0o600 {
			t.Errorf("mode %v", fi.Mode().Perm())
		}
	})
	t.Run("leaves a folder of others alone", func(t *testing.T) {
		dir := t.TempDir()
		os.Chmod(dir, 0o755)
		mustOpen(t, filepath.Join(dir, "x.db"), Options{Create: true})
		fi, _ := os.Stat(dir)
		if _, err := os.Stat(filepath.Join(dir, ".gitignore")); err == nil || fi.Mode().Perm() != 0o755 {
			t.Errorf("mode %v, .gitignore %v", fi.Mode().Perm(), err)
		}
	})
	t.Run("makes nothing unless told", func(t *testing.T) {
		path := newPath(t)
		for _, o := range []Options{{}, {ReadOnly: true}, {ReadOnly: true, Create: true}} {
			if _, err := Open(path, o); !errors.Is(err, ErrNotExist) {
				t.Errorf("%+v: %v", o, err)
			}
		}
		if _, err := os.Stat(filepath.Dir(path)); err == nil {
			t.Error("a folder was made")
		}
	})
	t.Run("refuses links", func(t *testing.T) {
		s := create(t)
		s.Close()
		dir := t.TempDir()
		file, folder := filepath.Join(dir, "audit.db"), filepath.Join(dir, "f")
		os.Symlink(s.Path(), file)
		os.Symlink(filepath.Dir(s.Path()), folder)
		for _, p := range []string{file, filepath.Join(folder, "audit.db")} {
			if _, err := Open(p, Options{Create: true}); err == nil || !strings.Contains(err.Error(), "symbolic link") {
				t.Errorf("%s: %v", p, err)
			}
		}
	})
}

func TestOpenRefusesWhatIsNoStore(t *testing.T) {
	other := filepath.Join(t.TempDir(), "other.db")
	db, err := bolt.Open(other, 0o600, &bolt.Options{PageSize: pageSize, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	db.Update(func(tx *bolt.Tx) error { _, err := tx.CreateBucket([]byte("x")); return err })
	db.Close()
	foreign, _ := os.ReadFile(other)
	for name, b := range map[string][]byte{
		"empty": {}, "one byte": {1}, "text": []byte(strings.Repeat("hello world\n", 4000)),
		"zeros": make([]byte, 1<<16), "another bbolt file": foreign,
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "audit.db")
			os.WriteFile(path, b, 0o600)
			for _, o := range []Options{{}, {ReadOnly: true}, {Create: true}} {
				_, err := Open(path, o)
				var c *CorruptError
				if !errors.As(err, &c) || c.Hint == "" || c.Path != path {
					t.Errorf("%+v: %v", o, err)
				}
			}
			if now, _ := os.ReadFile(path); !bytes.Equal(now, b) {
				t.Error("the file was changed")
			}
		})
	}
}

func TestOpenRefusesNewerSchema(t *testing.T) {
	s := create(t)
	update(t, s, func(tx *Tx) error {
		a := s.about
		a.Schema = Schema + 1
		b, _ := json.Marshal(a)
		if _, err := tx.tx.CreateBucket([]byte("of the future")); err != nil {
			return err
		}
		return tx.put(bMeta, aboutKey, b)
	})
	s.Close()
	_, err := Open(s.Path(), Options{})
	var n *NewerError
	if !errors.As(err, &n) || n.Schema != Schema+1 || n.Known != Schema {
		t.Fatalf("got %v", err)
	}
}

func TestOpenLock(t *testing.T) {
	const wait = 30 * time.Millisecond
	s := create(t)
	path := s.Path()
	for _, ro := range []bool{false, true} {
		start := time.Now()
		_, err := Open(path, Options{ReadOnly: ro, Wait: wait})
		if d := time.Since(start); !errors.Is(err, ErrLocked) || d < wait || d > 20*wait {
			t.Errorf("beside a writer, read-only %v: %v after %v", ro, err, d)
		}
	}
	s.Close()
	a := mustOpen(t, path, Options{ReadOnly: true})
	b := mustOpen(t, path, Options{ReadOnly: true})
	if err := a.Update(func(*Tx) error { return nil }); err == nil {
		t.Error("a read-only store took an update")
	}
	if _, err := Open(path, Options{Wait: -1}); !errors.Is(err, ErrLocked) {
		t.Errorf("writer beside readers: %v", err)
	}
	a.Close()
	b.Close()
	mustOpen(t, path, Options{Wait: -1})
}

func TestOpenFollowsRenameUnderWaiter(t *testing.T) {
	old, next := create(t), create(t)
	path, want := old.Path(), next.ID()
	next.Close()
	got := make(chan string, 1)
	go func() {
		s, err := Open(path, Options{Wait: 10 * time.Second})
		if err != nil {
			got <- err.Error()
			return
		}
		defer s.Close()
		got <- s.ID()
	}()
	for opened(t, path) < 2 { // until the waiter has the old file in hand
		time.Sleep(time.Millisecond)
	}
	if err := os.Rename(next.Path(), path); err != nil {
		t.Fatal(err)
	}
	old.Close()
	if id := <-got; id != want {
		t.Errorf("got %s, want the new file's %s", id, want)
	}
}

// opened counts the descriptors of this process on a path.
func opened(t *testing.T, path string) (n int) {
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc here")
	}
	for _, fd := range fds {
		if to, _ := os.Readlink("/proc/self/fd/" + fd.Name()); to == path {
			n++
		}
	}
	return n
}

func TestHeaders(t *testing.T) {
	s := create(t)
	long := bytes.Repeat([]byte(`{"a":1}`), 1000)
	want := Header{ID: "01AB2", At: noon.Add(1234 * time.Millisecond), Score: -1, Items: 7, Findings: 9, Flags: 3, Body: long}
	update(t, s, func(tx *Tx) error {
		for _, h := range []Header{{ID: "01AB1", At: noon, Score: 7130}, want, {ID: "01C", At: noon.Add(-time.Hour)}} {
			if _, err := tx.AppendSnapshot(h); err != nil {
				return err
			}
		}
		if _, err := tx.AppendSnapshot(Header{ID: "01C"}); err == nil {
			t.Error("an id was taken twice")
		}
		return nil
	})
	view(t, s, func(tx *Tx) error {
		h, ok, err := tx.Header(2)
		if err != nil || !ok || fmt.Sprint(h) != fmt.Sprint(want) {
			t.Errorf("got %v %v %v", h, ok, err)
		}
		if _, ok, err := tx.Header(4); ok || err != nil {
			t.Errorf("snapshot 4: %v %v", ok, err)
		}
		list := func(from uint64, desc bool) (out []uint64) {
			if err := tx.Headers(from, desc, func(seq uint64, h Header) bool { out = append(out, seq); return true }); err != nil {
				t.Error(err)
			}
			return out
		}
		for _, c := range []struct {
			from uint64
			desc bool
			want string
		}{{0, false, "[1 2 3]"}, {2, false, "[2 3]"}, {0, true, "[3 2 1]"}, {2, true, "[2 1]"}, {9, true, "[3 2 1]"}, {9, false, "[]"}} {
			if got := fmt.Sprint(list(c.from, c.desc)); got != c.want {
				t.Errorf("from %d desc %v: %s, want %s", c.from, c.desc, got, c.want)
			}
		}
		if got := fmt.Sprint(tx.Seq(), tx.ByID("01A"), tx.ByID("01AB2"), tx.ByID("x")); got != "3 [1 2] [2] []" {
			t.Errorf("ids: %s", got)
		}
		return nil
	})
}

func TestBlob(t *testing.T) {
	s := create(t)
	r := random(t)
	text := func(n int) []byte {
		var b bytes.Buffer
		for b.Len() < n {
			fmt.Fprintf(&b, "      - run: step %d of %x\n", b.Len(), r.Uint64())
		}
		return b.Bytes()
	}
	one := text(20000)
	two := append(append(bytes.Clone(one[:9000]), "another line\n"...), one[9000:]...)
	three := append(append(bytes.Clone(two[:100]), "and a third\n"...), two[100:]...)
	blobs := [][]byte{{}, []byte("x"), one, two, three, make([]byte, 3<<20)}
	update(t, s, func(tx *Tx) error {
		base := ""
		for _, b := range blobs {
			if err := tx.PutBlob(snapshot.Sum(b), b, base); err != nil {
				t.Error(err)
			}
			base = snapshot.Sum(b)
		}
		if err := tx.PutBlob(snapshot.Sum(one), two, ""); err == nil {
			t.Error("bytes were kept under another's name")
		}
		return nil
	})
	view(t, s, func(tx *Tx) error {
		for i, b := range blobs {
			got, err := tx.Blob(snapshot.Sum(b))
			if err != nil || !bytes.Equal(got, b) || !tx.HasBlob(snapshot.Sum(b)) {
				t.Errorf("blob %d: %d bytes of %d, %v", i, len(got), len(b), err)
			}
		}
		if _, err := tx.Blob(snapshot.Sum([]byte("nobody"))); !errors.Is(err, ErrNoBlob) {
			t.Errorf("unknown blob: %v", err)
		}
		for name, b := range map[string][]byte{"two": two, "three": three} {
			key, _ := blobKey(snapshot.Sum(b))
			if v, _, _ := tx.get(bBlob, key); v[0] != codecDelta || len(v) > 200 {
				t.Errorf("%s is kept by codec %d in %d bytes", name, v[0], len(v))
			}
		}
		return nil
	})
	verified(t, s)
}

func TestSmallValues(t *testing.T) {
	s := create(t)
	long := bytes.Repeat([]byte("value "), 2000)
	for range 2 { // the second time nothing is to change
		update(t, s, func(tx *Tx) error {
			if tx.Seq() == 0 {
				snap(t, tx)
				for i := range 3 {
					if n, err := tx.AppendJournal([]byte{byte(i)}, 0); err != nil || n != uint64(i+1) {
						t.Errorf("journal %d: %d %v", i, n, err)
					}
				}
			}
			return errors.Join(tx.PutObs(1, "pm2", long), tx.PutCache("k", long), tx.PutCache("e", nil),
				tx.PutStat("a/b", []byte("s")), tx.PutStat("a/c", []byte("t")), tx.DeleteStat("a/c"), tx.PutMeta("m", []byte("v")))
		})
	}
	view(t, s, func(tx *Tx) error {
		obs, err := tx.Obs(1, "pm2")
		none, err2 := tx.Obs(1, "pm")
		if err != nil || err2 != nil || !bytes.Equal(obs, long) || none != nil {
			t.Errorf("obs: %d bytes, %v, %v, %v", len(obs), none, err, err2)
		}
		if !bytes.Equal(tx.Cache("k"), long) || tx.Cache("e") == nil || tx.Cache("nobody") != nil || tx.Cache("") != nil {
			t.Error("cache")
		}
		if string(tx.Stat("a/b")) != "s" || tx.Stat("a/c") != nil || string(tx.Meta("m")) != "v" || tx.Meta("n") != nil {
			t.Error("stat or meta")
		}
		var got []string
		if err := tx.Journal(2, func(n uint64, raw []byte) bool { got = append(got, fmt.Sprint(n, raw)); return true }); err != nil {
			t.Error(err)
		}
		if fmt.Sprint(got, tx.JournalHead()) != "[2 [1] 3 [2]] 3" {
			t.Errorf("journal: %v, head %d", got, tx.JournalHead())
		}
		return nil
	})
	verified(t, s)
}

func TestBegin(t *testing.T) {
	s := create(t)
	update(t, s, func(tx *Tx) error {
		seq := snap(t, tx)
		for i := range 200 {
			id := fmt.Sprintf("id%03d", i)
			if err := errors.Join(tx.Table("item").Put(seq, id, []byte(id)), tx.PutCache(id, bytes.Repeat([]byte(id), 500))); err != nil {
				return err
			}
		}
		return nil
	})
	tx, err := s.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err == nil {
		t.Fatal("closed under a reader")
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 200 {
				id := fmt.Sprintf("id%03d", i)
				v, _, ok, err := tx.Table("item").At(1, id)
				if err != nil || !ok || string(v) != id || len(tx.Cache(id)) != 2500 {
					t.Errorf("%s: %q %v %v", id, v, ok, err)
				}
			}
		})
	}
	wg.Wait()
	if err := errors.Join(tx.Rollback(), tx.Rollback()); err != nil {
		t.Error(err)
	}
	if _, _, _, err := tx.Table("item").At(1, "id000"); !errors.Is(err, errEnded) || tx.Cache("id000") != nil {
		t.Errorf("after its end: %v", err)
	}
}

func TestUpdateUndoesOnErrorAndPassesPanicsOfOthers(t *testing.T) {
	s := create(t)
	boom := errors.New("boom")
	if err := s.Update(func(tx *Tx) error { snap(t, tx); return boom }); !errors.Is(err, boom) {
		t.Errorf("got %v", err)
	}
	func() {
		defer func() {
			if r := recover(); r != "mine" {
				t.Errorf("recovered %v", r)
			}
		}()
		s.Update(func(tx *Tx) error { snap(t, tx); panic("mine") })
	}()
	err := s.View(func(tx *Tx) error {
		var nobody *bolt.Bucket
		nobody.Get([]byte("x")) // a panic of bbolt
		return nil
	})
	var c *CorruptError
	if !errors.As(err, &c) {
		t.Errorf("a panic of bbolt became %v", err)
	}
	view(t, s, func(tx *Tx) error {
		if tx.Seq() != 0 {
			t.Error("something was kept")
		}
		return nil
	})
}

// What a damaged row hides may be why fn finds nothing.
func TestView_tellsDamageFirst(t *testing.T) {
	st := create(t)
	damage := &CorruptError{Path: "x", What: "a row"}
	err := st.View(func(tx *Tx) error {
		tx.note(damage)
		return errors.New("there is no snapshot yet")
	})
	var got *CorruptError
	if !errors.As(err, &got) || got != damage {
		t.Errorf("%v", err)
	}
}
