package pipeline

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"healthaudit/audit"
	"healthaudit/rules"
	"healthaudit/snapshot"
	"healthaudit/snapshot/archive"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/store"
)

// A site is the world of an apply: the project on disk and the store.
type site struct {
	*Runner
	st    *store.Store
	root  *os.Root
	kept  rules.State // as it is in the store
	fresh map[string][]byte
}

// maxBefore bounds, in bytes, a file that is kept before it is overwritten:
// nothing that was ever captured is larger.
const maxBefore = 64 << 20

func (s *site) Now() time.Time { return s.Host.Now().UTC().Round(0) }

func (s *site) Commit(now rules.State, e rules.Entry, before []rules.Write) error {
	err := s.st.Update(func(tx *store.Tx) error {
		for _, w := range before {
			if w.Was == "" {
				continue
			}
			b, err := s.Host.Read(w.Path, maxBefore)
			if err != nil {
				return err
			}
			if snapshot.Sum(b) != w.Was {
				return fmt.Errorf("%s changed while it was being kept", w.Path)
			}
			if err := tx.PutBlob(w.Was, b, ""); err != nil {
				return err
			}
		}
		if err := SaveState(tx, s.kept, now); err != nil {
			return err
		}
		return Append(tx, e)
	})
	if err == nil {
		s.kept = now.Clone()
	}
	return err
}

var errKept = errors.New("its digest is another")

func (s *site) Write(w rules.Write) error {
	if top, _, _ := strings.Cut(path.Clean(w.Path), "/"); strings.EqualFold(top, ".git") || top == store.Folder { // no item is there; a store that somebody made up may say so
		return fmt.Errorf("%s is no file of the project", w.Path)
	}
	if w.New != nil {
		s.fresh[w.Sum] = w.New
	}
	r := &archive.Restorer{Target: s.root, Policy: archive.IfUnchanged, Bytes: s.bytes,
		Latest: func(p string) (snapshot.File, bool) {
			st, err := s.root.Lstat(p)
			if err != nil {
				return snapshot.File{}, false
			}
			return snapshot.File{Path: p, Mode: st.Mode(), SHA256: w.Was}, true
		}}
	if w.Sum == "" { // what is taken away can be read back from where it is kept
		if b, err := s.bytes(w.Was); err != nil || snapshot.Sum(b) != w.Was {
			return fmt.Errorf("%s stays: what is kept of it is not what stands there: %w", w.Path, cmp.Or(err, errKept))
		}
	}
	plan := r.Plan([]archive.Wanted{{Gone: w.Sum == "", File: snapshot.File{Path: w.Path, SHA256: w.Sum, Mode: w.Mode}}})
	if o := plan[0]; o.Changes() && o.Was != w.Was {
		return errors.New("what stands there is not what was seen")
	}
	o := r.Do(plan)[0]
	if o.Changes() {
		return nil
	}
	if o.Action == archive.Unchanged {
		return errors.New("it stands there already")
	}
	return errors.New(o.Reason)
}

func (s *site) bytes(sum string) (b []byte, err error) {
	if b, ok := s.fresh[sum]; ok {
		return b, nil
	}
	err = s.st.View(func(tx *store.Tx) (err error) { b, err = tx.Blob(sum); return err })
	return b, err
}

func (s *site) Look(ctx context.Context, key snapshot.Key, fn func(*rules.Subject, *rules.Preparation) error) error {
	return s.st.View(func(tx *store.Tx) error {
		v, err := Load(tx, tx.Seq(), s.Collectors, s.Checks)
		if err != nil {
			return err
		}
		l := &look{site: s, tx: tx, was: v, seen: map[string][]byte{}}
		it, err := l.recollect(ctx, key)
		if err != nil {
			return err
		}
		if it == nil {
			return fn(nil, nil)
		}
		sub, err := l.judge(it)
		if err != nil {
			return err
		}
		src := &sources{ctx: ctx, host: s.Host, tx: tx, snap: l.now, git: v.Info.Git, now: s.Host.Now()}
		return fn(sub, &rules.Preparation{Item: it, Worst: sub.Worst, Snapshot: l.now, Sources: src})
	})
}

// A look is one item read again, in the newest snapshot.
type look struct {
	*site
	tx      *store.Tx
	was     *View
	now     *snapshot.Snapshot // with the item as it is
	past    *lockedPast
	capture *collect.Capture
	seen    map[string][]byte // what was captured
	beside  *collect.Result   // all of the item's system, where that is judged together
	tree    *snapshot.Tree    // as it is, where the subject belongs to no single item; nil: as it was
}

// recollect reads the item past every cache; nil is that it is gone.
func (l *look) recollect(ctx context.Context, key snapshot.Key) (*snapshot.Item, error) {
	i := slices.IndexFunc(l.Collectors, func(c *collect.Collector) bool { return c.System == key.System() })
	if i < 0 || l.Collectors[i].Recollect == nil {
		return nil, fmt.Errorf("nothing reads %s", key.System())
	}
	p, err := newPast(l.tx, l.was.Seq)
	if err != nil {
		return nil, err
	}
	l.past = &lockedPast{past: p}
	l.capture = &collect.Capture{Host: l.Host, Keep: func(sum string, b []byte) { l.seen[sum] = slices.Clone(b) }}
	if key.IsPseudo() {
		tree, _, _, err := collect.ReadTree(ctx, l.Host)
		l.tree = tree
		return whole(key), err
	}
	key64 := l.st.Key()
	session := &collect.Session{
		Host: l.Host, Config: l.Config.Collect, Tree: l.was.Snapshot.Tree, Repository: l.was.Info.Git, Derived: &snapshot.Derived{}, Previous: l.past, Files: l.capture,
		Cursors: func(sys snapshot.System, name string) json.RawMessage {
			b, _, _, _ := l.tx.Table(tableCursor).At(l.was.Seq, string(sys)+"/"+name)
			return b
		},
		Secret: func(clear string) string { return keyed(key64, clear) },
	}
	if l.Collectors[i].Beside != nil {
		r, err := l.Collectors[i].Beside(ctx, session, key)
		if err := errors.Join(err, l.past.err); err != nil {
			return nil, err
		}
		l.beside = &r
		if i := slices.IndexFunc(r.Items, func(it *snapshot.Item) bool { return it.Key == key }); i >= 0 {
			return r.Items[i], nil
		}
		return nil, nil
	}
	it, err := l.Collectors[i].Recollect(ctx, session, key)
	if it != nil {
		it.Sort()
	}
	return it, errors.Join(err, l.past.err)
}

// others are the items of the newest snapshot beside one that was read again.
func (l *look) others(it *snapshot.Item) (out []*snapshot.Item) {
	read := map[string]bool{}
	if l.beside != nil {
		for _, src := range l.beside.Sources {
			read[src.Name] = src.OK
		}
		for _, o := range l.beside.Items {
			if o.Key != it.Key {
				out = append(out, o)
			}
		}
	}
	again := map[snapshot.Key]bool{it.Key: true}
	for _, o := range out {
		again[o.Key] = true
	}
	for _, o := range l.was.Snapshot.Items {
		gone := o.System() == it.System() && read[o.Source]
		if !again[o.Key] && !gone {
			out = append(out, o)
		}
	}
	return out
}

// keyed is the keyed hash of a value that may be secret; see session.secret.
func keyed(key []byte, clear string) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(clear))
	return "hmac:" + hex.EncodeToString(m.Sum(nil)[:8])
}

// judge judges the newest snapshot with that item in it.
func (l *look) judge(it *snapshot.Item) (*rules.Subject, error) {
	old := l.was.Snapshot
	now := &snapshot.Snapshot{ID: old.ID, At: l.Host.Now(), Systems: old.Systems, Tree: cmp.Or(l.tree, old.Tree), Context: old.Context, Content: overlay{old.Content, l.seen}}
	if now.Items = old.Items; !it.Key.IsPseudo() {
		now.Items = append(l.others(it), it)
	}
	now.Sort()
	l.now = now
	derived := &snapshot.Derived{Memo: &memo{tx: l.tx, fresh: map[string]made{}}}
	changes := snapshot.Diff(old, now, Risks(l.Collectors))
	accepted, err := Acceptances(l.tx, l.was.Seq)
	if err != nil {
		return nil, err
	}
	past := newMeasured(l.tx, l.was.Seq)
	w := l.Config.world(now)
	w.Before, w.Changes, w.Gone, w.Derived, w.All, w.History = l.past, changes, l.was.Info.Gone, derived, l.Checks, past
	w.Waivers = waivers(Waivers(l.capture.Waiving(), now.Content), l.Config, accepted)
	j := audit.Judge(l.Config.checks(l.Checks), w)
	if err := errors.Join(l.past.err, past.err); err != nil {
		return nil, err
	}
	return l.subject(it, changes, &j), nil
}

// subject is the item as a condition sees it, by this judgement alone.
func (l *look) subject(it *snapshot.Item, changes []snapshot.Change, j *audit.Judgement) *rules.Subject {
	v := View{Seq: l.was.Seq + 1, Snapshot: l.now, Changes: changes, Regressions: l.was.Regressions, trending: trending(l.Checks),
		Info: &Info{ChecksOff: l.Config.ChecksOff, Crashed: j.Crashed, Flapping: l.was.Info.Flapping}}
	open := map[string]bool{}
	for _, f := range j.Findings {
		if f.Item == it.Key {
			open[f.ID] = true
			v.findings = append(v.findings, audit.Tracked{Record: &audit.Record{Finding: f}})
		}
	}
	crashed := map[string]bool{}
	for _, c := range j.Crashed {
		crashed[c.Check] = true
	}
	for _, t := range l.was.findings { // what nobody could look for is not gone
		if t.Item == it.Key && t.Open() && !open[t.ID] && (j.Doubted(t.Record) || crashed[t.Check]) {
			v.findings = append(v.findings, audit.Tracked{Record: t.Record, Carried: true})
		}
	}
	v.evaluate()
	for _, s := range v.subjects() {
		if s.Item.Key == it.Key {
			return &s
		}
	}
	if it.Key.IsPseudo() { // nothing is found of it
		return &rules.Subject{Item: it, Level: audit.LevelOK, Score: 100, Change: audit.Unchanged}
	}
	return nil
}

// overlay is content with bytes that the store does not have yet.
type overlay struct {
	snapshot.Content
	seen map[string][]byte
}

func (o overlay) Bytes(sum string) ([]byte, error) {
	if b, ok := o.seen[sum]; ok {
		return b, nil
	}
	return o.Content.Bytes(sum)
}
