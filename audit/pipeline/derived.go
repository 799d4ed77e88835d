package pipeline

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"healthaudit/snapshot/store"
)

// bulk is how many new bytes of files get a transaction of their own.
const bulk = 1 << 20

// bulky reports whether what is known by its content gets a transaction of its own,
// before that of the run. Nothing refers to it yet: it halves the memory of a first
// run, and losing it loses nothing.
func (s *session) bulky() bool { return s.stage.bytes > bulk }

// keepAhead begins to keep what is known by its content while the archive is written.
// Only a first run does, which has much of it: the store is locked meanwhile, and
// nobody waits for one in which there is nothing yet.
func (s *session) keepAhead() error {
	if s.past != nil || !s.bulky() {
		return nil
	}
	stamps, bases := s.newStamps(), s.bases()
	s.release()
	st, err := s.openForWriting()
	if err != nil {
		return err
	}
	s.reader = st
	if err := s.readAnew(); err != nil {
		return err
	}
	done := make(chan error, 1)
	s.keeping = sync.OnceValue(func() error { return <-done })
	go func() {
		done <- st.Update(func(tx *store.Tx) error { return s.keepDerived(tx, stamps, bases) })
	}()
	return nil
}

// readAnew reads the store as it is now.
func (s *session) readAnew() (err error) {
	if s.tx, err = s.reader.Begin(); err == nil {
		s.memo.tx, s.snap.Content = s.tx, s.content()
	}
	return err
}

func (s *session) openForWriting() (*store.Store, error) {
	return store.Open(s.Store, store.Options{Wait: 30 * time.Second, Checked: true})
}

// forWriting returns the store for the commit, which is the caller's to close. From
// then on it is no longer read.
func (s *session) forWriting() (*store.Store, error) {
	if s.keeping == nil {
		s.release()
		return s.openForWriting()
	}
	s.endReading() // to make room for more, bbolt waits for those who read
	if err := s.keeping(); err != nil {
		return nil, err
	}
	st := s.reader
	s.reader = nil
	return st, nil
}

// keepDerived keeps what is known by its content: captured bytes, their stamps and
// the analyses made of them.
func (s *session) keepDerived(tx *store.Tx, stamps map[string][]byte, bases map[string]string) error {
	w := writer{tx: tx}
	w.blobs(s.stage, bases)
	for _, path := range slices.Sorted(maps.Keys(stamps)) {
		w.do(func() error { return tx.PutStat(path, stamps[path]) })
	}
	w.do(func() error { return s.keepMade(tx) })
	w.do(func() error { return forget(tx, len(bases)) })
	return w.err
}

// keepMade keeps the analyses that are not kept yet.
func (s *session) keepMade(tx *store.Tx) error {
	fresh := s.memo.take()
	if len(fresh) == 0 {
		return nil
	}
	captured := map[string]bool{}
	for _, st := range s.capture.Stamps() {
		captured[st.SHA256] = true
	}
	for _, key := range slices.Sorted(maps.Keys(fresh)) {
		m := fresh[key]
		if err := tx.PutMade(key, m.value, begins(m.of, captured)); err != nil {
			return err
		}
	}
	return nil
}

// begins returns the beginnings of those inputs that are digests of captured bytes.
func begins(inputs []string, captured map[string]bool) (out []store.Begin) {
	for _, in := range inputs {
		if b, ok := store.BeginOf(in); ok && captured[in] {
			out = append(out, b)
		}
	}
	return out
}

// forgetLeast is how many files must have changed before analyses of bytes that
// are no more are looked for: the looking reads all of them.
const forgetLeast = 200

// metaChanged counts the files that changed since.
const metaChanged = "changed"

// forget takes away the analyses of bytes that no file has any more.
func forget(tx *store.Tx, changed int) error {
	if changed == 0 {
		return nil
	}
	n := counter(tx, metaChanged) + changed
	if n >= forgetLeast {
		n = 0
		current := map[store.Begin]bool{}
		err := tx.ScanStat(func(_ string, v []byte) bool {
			if st, ok := decodeStamp(v); ok {
				b, _ := store.BeginOf(st.SHA256)
				current[b] = true
			}
			return true
		})
		if err != nil {
			return err
		}
		if _, err := tx.DropStale(func(b store.Begin) bool { return current[b] }); err != nil {
			return err
		}
	}
	return tx.PutMeta(metaChanged, fmt.Append(nil, n))
}

// counter returns a number that the store keeps, 0 where there is none.
func counter(tx *store.Tx, name string) (n int) {
	_, _ = fmt.Sscan(string(tx.Meta(name)), &n)
	return n
}
