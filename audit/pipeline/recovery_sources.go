package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"sync"
	"time"

	"healthaudit/audit"
	"healthaudit/rules"
	"healthaudit/snapshot"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/host"
	"healthaudit/snapshot/store"
)

// sources answers what actions ask, from the store, the disk and git.
type sources struct {
	ctx  context.Context
	host host.Host
	tx   *store.Tx // nil on a first run
	snap *snapshot.Snapshot
	git  *collect.Repository
	now  time.Time

	goods *goods
	busy  func() (string, error) // what git is in the middle of, asked once
}

// Sources are the answers for a stored snapshot.
func Sources(ctx context.Context, h host.Host, tx *store.Tx, v *View) rules.Sources {
	return &sources{ctx: ctx, host: h, tx: tx, snap: v.Snapshot, git: v.Info.Git, now: h.Now()}
}

func (s *sources) Host() host.Host { return s.host }

func (s *sources) Bytes(sum string) ([]byte, error) { return s.snap.Content.Bytes(sum) }

func (s *sources) LastGood(it *snapshot.Item, now audit.Severity) (snapshot.File, uint64, error) {
	if s.tx == nil {
		return snapshot.File{}, 0, fs.ErrNotExist
	}
	if s.goods == nil {
		g, err := newGoods(s.tx)
		if err != nil {
			return snapshot.File{}, 0, err
		}
		s.goods = g
	}
	good, seq, err := s.goods.last(it.Key, s.tx.Seq(), goodBelow(now))
	if err != nil || good == nil {
		return snapshot.File{}, 0, cmp.Or(err, error(fs.ErrNotExist))
	}
	f, ok := good.OwnFile()
	present, _ := it.OwnFile()
	switch {
	case !ok || f.Link != "" || f.Path != it.Path:
		return snapshot.File{}, 0, &rules.Refusal{Why: fmt.Sprintf("when it was last good, in snapshot #%d, it was no file of its own at %s", seq, it.Path)}
	case f.SHA256 == present.SHA256:
		return snapshot.File{}, 0, &rules.Refusal{Why: fmt.Sprintf("it is what it was when it was last good, in snapshot #%d: what is wrong does not stand in it", seq), Hint: "look at what it uses"}
	case f.SHA256 == "" || !s.tx.HasBlob(f.SHA256):
		return snapshot.File{}, 0, &rules.Refusal{Why: fmt.Sprintf("the bytes of the last good version, in snapshot #%d, were not kept", seq)}
	}
	return f, seq, nil
}

// calm is how long a file must have been left alone: somebody may be at it.
const calm = 10 * time.Minute

func (s *sources) Free(file, is, want string) error {
	for dir := path.Dir(file); dir != "."; dir = path.Dir(dir) {
		if st, err := s.host.Stat(dir); err == nil && !st.Mode.IsDir() {
			return &rules.Refusal{Why: dir + " is a symbolic link, and nothing is written through one"}
		}
	}
	st, err := s.host.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &rules.Refusal{Why: "the file is gone: who removed it may have meant it", Hint: "audit restore latest " + file + " brings it back"}
	case err != nil:
		return err
	case !st.Mode.IsRegular():
		return &rules.Refusal{Why: file + " is no regular file"}
	case is == "":
		return &rules.Refusal{Why: "what stands there now could not be kept, so it could not be brought back"}
	}
	if me := os.Getuid(); me >= 0 && int64(st.UID) != int64(me) { // what is written anew belongs to whoever writes it
		return &rules.Refusal{Why: "the file belongs to another user than the one that runs audit", Hint: "run audit as that user"}
	}
	if b, err := s.host.Read(file, maxBefore); err != nil {
		return err
	} else if snapshot.Sum(b) != is {
		return &rules.Refusal{Why: "it changed since the snapshot: somebody is working on it", Hint: "audit run looks again"}
	}
	if since := s.now.Sub(time.Unix(0, st.MTime)); since < calm {
		if since < 0 {
			return &rules.Refusal{Why: "the file is dated in the future: nobody knows whether somebody is working on it"}
		}
		return &rules.Refusal{Why: fmt.Sprintf("it was changed %s ago: somebody may be working on it", since.Round(time.Second)), Hint: "the next run looks again"}
	}
	if !s.snap.Tree.Git {
		return nil
	}
	return s.uncommitted(file, is, want)
}

// uncommitted refuses what git knows better (the order of questions is that of
// docs/recovery.md, "What is never written").
func (s *sources) uncommitted(file, is, want string) error {
	if s.git == nil || s.git.Commit == "" {
		if e, ok := s.snap.Tree.At(file); !ok || e.State == snapshot.Tracked {
			return &rules.Refusal{Why: "git tracks it and has no commit of it yet"}
		}
		return nil
	}
	if s.busy == nil { // the same for all of the project, and it may have hundreds of copies
		s.busy = sync.OnceValues(func() (string, error) { return collect.ReadBusy(s.ctx, s.host) })
	}
	var at collect.Standing
	busy, err := s.busy()
	if err == nil && busy == "" {
		at, err = collect.ReadStanding(s.ctx, s.host, file)
	}
	switch {
	case err != nil:
		return &rules.Refusal{Why: "git could not be asked about it: " + err.Error(), Hint: "run git status in the root as the user that runs audit"}
	case busy != "":
		return &rules.Refusal{Why: "git is in the middle of a " + busy, Hint: "finish it, or give it up"}
	case at.Staged:
		return &rules.Refusal{Why: "a change of it is staged for the next commit: somebody means it"}
	case at.Blob == "":
		return nil // git does not have it
	}
	now, err := s.Bytes(is)
	if err != nil {
		return err
	}
	if collect.SameBlob(now, at.Blob) {
		return &rules.Refusal{Why: fmt.Sprintf("it is committed as it is (%.10s): a commit is a decision", s.git.Commit),
			Hint: "audit recover plan --patch shows what would mend it; git revert undoes a commit"}
	}
	b, err := s.Bytes(want)
	if err != nil || !collect.SameBlob(b, at.Blob) {
		return &rules.Refusal{Why: "the last commit holds another version than the one to be written", Hint: "git diff -- " + file + " shows what is not committed"}
	}
	return nil
}

// ItemAt returns an item as it was in a snapshot, without its metrics.
func ItemAt(tx *store.Tx, seq uint64, key snapshot.Key) (*snapshot.Item, error) {
	value, ok, err := tx.Table(tableItem).Text(seq, string(key))
	if err == nil && !ok {
		err = fmt.Errorf("snapshot #%d has no %s", seq, key)
	}
	if err != nil {
		return nil, err
	}
	return snapshot.DecodeItem(value)
}
