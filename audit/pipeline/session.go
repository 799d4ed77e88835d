package pipeline

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"healthaudit/audit"
	"healthaudit/rules"
	"healthaudit/snapshot"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/store"
)

// A session is one run under way.
type session struct {
	*Runner
	started time.Time
	listing chan listed
	cancel  context.CancelFunc // of the listing
	reader  *store.Store       // what is remembered; nil when it is not open
	tx      *store.Tx
	past    *past        // nil on a first run
	ahead   []func()     // see caughtUp
	keeping func() error // waits for what keepAhead began; nil when it did not
	before  *lockedPast
	key     []byte
	hashes  sync.Pool // of keyed hash.Hash
	stage   *stage
	memo    *memo
	capture *collect.Capture
	derived *snapshot.Derived
	info    Info
	snap    *snapshot.Snapshot
	tree    []byte // its tree, encoded
	unread  unread // what of the bytes that were kept could not be read
	cursors map[string]json.RawMessage
	cmp     *comparison

	backups  backupState
	foreign  audit.Foreign // what plugins and hooks said
	archived *archiving    // of this run
	unmade   *BackupError  // why there is none although one was wanted
	gone     deletions
	restored []uint64   // restores that something killed and that are over all the same
	kept     bool       // the commit succeeded
	lost     *lostPast  // nil: the store is sound as far as this run needs it
	untidy   untidiness // see tidy

	oldState, newState rules.State // of recovery, before and after this run
	recovered          *Recovered  // what recovery plans; nil before it was asked, and where there are no rules
	standing           *audit.Recovery
}

func (s *session) close() {
	if s.listing != nil { // git must not outlive the host it was asked through
		s.cancel()
		for range s.listing {
		}
	}
	s.release()
	if s.stage != nil {
		s.stage.close()
	}
}

// release closes the store for reading, so that it can be opened for writing.
func (s *session) release() {
	s.endReading() // to make room for more, bbolt waits for those who read
	if s.keeping != nil {
		_ = s.keeping() // who counts on it asks
	}
	if s.reader != nil {
		s.reader.Close()
		s.reader = nil
	}
}

func (s *session) endReading() {
	s.caughtUp()
	if s.tx != nil {
		s.tx.Rollback()
		s.tx = nil
	}
}

// caughtUp waits for what reads past beforehand.
func (s *session) caughtUp() {
	for _, wait := range s.ahead {
		wait()
	}
	s.ahead = nil
}

// A listed is what ReadTree found.
type listed struct {
	tree   *snapshot.Tree
	repo   *collect.Repository
	reason string
	err    error
}

func (s *session) list(ctx context.Context) {
	s.listing = make(chan listed, 1)
	ctx, s.cancel = context.WithCancel(ctx)
	go func() {
		defer close(s.listing)
		var l listed
		l.tree, l.repo, l.reason, l.err = collect.ReadTree(ctx, s.Host)
		s.listing <- l
	}()
}

// open opens what is remembered.
func (s *session) open() (err error) {
	s.before = &lockedPast{}
	s.info = s.about()
	s.reader, err = store.Open(s.Store, store.Options{ReadOnly: true, Once: true, Wait: 10 * time.Second})
	if errors.Is(err, store.ErrNotExist) && s.Ephemeral {
		return s.openNothing()
	}
	if err != nil {
		return err
	}
	if s.tx, err = s.reader.Begin(); err != nil {
		return err
	}
	s.key = s.reader.Key()
	if s.backups, err = readBackups(s.tx); err != nil {
		return err
	}
	s.memo = &memo{tx: s.tx, fresh: map[string]made{}}
	if seq := s.tx.Seq(); seq > 0 {
		if s.past, err = newPast(s.tx, seq); err != nil {
			return err
		}
		for _, c := range s.Collectors {
			if c.Recalls && s.Config.wants(c.System) {
				s.ahead = append(s.ahead, s.past.readAhead(c.System))
			}
		}
		s.before.past = s.past
	}
	if err := s.damaged(); err != nil {
		return err
	}
	dir := filepath.Dir(s.Store)
	if s.Ephemeral {
		dir = ""
	}
	if s.stage, err = newStage(dir); err == nil && !s.Ephemeral {
		s.stage.packs = func(sum string) bool { return !s.tx.HasBlob(sum) }
	}
	return err
}

// about is what the run says of itself from the start.
func (s *session) about() Info {
	return Info{ID: ulid.MustNewDefault(s.started).String(), Tool: s.Version, Started: s.started, Host: s.Host.Name(), Root: s.Host.Root(), Recovery: s.Recovery}
}

// look collects everything and completes the snapshot with what is carried.
func (s *session) look(ctx context.Context) error {
	s.capture = &collect.Capture{Host: s.Host, Keep: s.stage.keep, Known: s.known}
	s.derived = &snapshot.Derived{Memo: s.memo}
	world := collect.Session{
		Host: s.Host, Config: s.Config.Collect, Derived: s.derived, Previous: s.before, Cursors: s.cursor, Secret: s.secret, Files: s.capture,
	}
	treeless := world
	before := begin(ctx, &treeless, s.Config, s.Collectors)
	defer before.end()
	plugins := s.askCollectors(ctx)
	defer plugins.wait()
	var tree *snapshot.Tree
	err := s.stageOf("tree", func() error {
		l := <-s.listing
		tree, s.info.Git, s.info.GitReason = l.tree, l.repo, l.reason
		return l.err
	})
	if err != nil {
		return err
	}
	world.Tree, world.Repository = tree, s.info.Git
	var g *gathering
	err = s.stageOf("collect", func() (err error) {
		if g, err = gather(ctx, &world, s, before); err == nil {
			err = plugins.join(ctx, g)
		}
		return err
	})
	if err != nil {
		return err
	}
	s.cursors = g.cursors
	s.keepEpochs(g.states)
	g.items = slices.DeleteFunc(g.items, func(it *snapshot.Item) bool { // what lies in a folder that may not be read is as it was
		_, unread := tree.InUnread(it.Path)
		return unread && s.before.Item(it.Key) != nil
	})
	items := unique(g.items)
	sideBySide(len(items), func(i int) { items[i].Sort() })
	s.snap = &snapshot.Snapshot{
		ID: s.info.ID, At: s.started, Systems: g.states, Items: items, Tree: tree, Context: uniqueFiles(g.context),
		Content: s.content(),
	}
	s.tree = tree.Encode()
	s.caughtUp()
	err = s.stageOf("diff", func() (err error) { s.cmp, err = compare(s.snap, s.past, s.stage); return err })
	if err != nil {
		return err
	}
	s.info.Kept = s.cmp.kept
	s.gone = s.deleted(ctx)
	return s.before.err
}

// content is the bytes of files, as those who ask for them see it.
func (s *session) content() snapshot.Content { return noting{stored{s.tx, s.stage}, &s.unread} }

// damaged returns what of the store the run asked for and could not have, and would
// go on without: bytes that a check looks at, a row that reads as if it were not
// there. What can be made again is no such thing.
func (s *session) damaged() error {
	if d := s.unread.damage.Load(); d != nil {
		return d
	}
	if s.tx == nil {
		return nil
	}
	var bad *store.CorruptError
	if err := s.tx.Err(); errors.As(err, &bad) && (bad.Row() == nil || bad.Row().Bucket != "blob") { // a blob that is captured anew is written anew
		return bad
	}
	return nil
}

// keepEpochs gives systems that were not read the epoch of the items that are
// carried for them, so that the next run that reads them rebases when it must.
func (s *session) keepEpochs(states []snapshot.SystemState) {
	for i := range states {
		if st := &states[i]; s.past != nil && !st.Status.Listed() {
			st.Epoch = s.before.System(st.System).Epoch
		}
	}
}

func (s *session) known(path string) (collect.Stamp, bool) {
	if s.tx == nil {
		return collect.Stamp{}, false
	}
	st, ok := decodeStamp(s.tx.Stat(path))
	if ok && s.past == nil && !s.tx.HasBlob(st.SHA256) { // of a run that was not kept
		return collect.Stamp{}, false
	}
	return st, ok
}

func (s *session) cursor(sys snapshot.System, name string) json.RawMessage {
	if s.past == nil {
		return nil
	}
	b, _, _, _ := s.tx.Table(tableCursor).At(s.past.seq, string(sys)+"/"+name)
	return b
}

// secret is the keyed hash of a value that may be secret: 64 bits are enough
// to see that it changed, and useless without the store's key.
func (s *session) secret(clear string) string {
	m, ok := s.hashes.Get().(hash.Hash)
	if !ok {
		m = hmac.New(sha256.New, s.key)
	}
	defer s.hashes.Put(m)
	m.Reset()
	m.Write([]byte(clear))
	return "hmac:" + hex.EncodeToString(m.Sum(nil)[:8])
}

// lastJudged tells, for every item that cannot be judged now, in which snapshot
// it last could. Items of a system that was not listed have their system's.
func (s *session) lastJudged() map[snapshot.Key]uint64 {
	if s.past == nil {
		return nil
	}
	out := map[snapshot.Key]uint64{}
	for _, old := range s.cmp.old {
		it := s.snap.Item(old.Key)
		if it == nil || !it.Carried && it.Unknown == "" {
			continue
		}
		at, listed := s.past.info.Judged[old.Key], s.snap.System(old.System()).Status.Listed()
		if at == 0 && listed && old.Unknown == "" {
			at = s.past.info.observed(old.System(), s.past.seq)
		}
		if at > 0 {
			out[old.Key] = at
		}
	}
	return out
}
