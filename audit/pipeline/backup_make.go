package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"filippo.io/age"

	"healthaudit/report"
	"healthaudit/rules"
	"healthaudit/snapshot"
	"healthaudit/snapshot/archive"
	"healthaudit/snapshot/host"
	"healthaudit/snapshot/store"
)

// An archiving is one archive on its way: written and verified, and not yet
// noted in the store.
type archiving struct {
	Made *archive.Pending
	Drop []archive.Drop // of the folder, once the archive is noted
	copy *archive.Pending
	also []archive.Drop // of the second folder
	note madeState
	from uint64
}

// close takes away what does not count.
func (a *archiving) close() {
	if a != nil {
		a.Made.Close()
		a.copy.Close()
	}
}

// A BackupError says why an archive could not be made, and what to do.
type BackupError struct {
	Err  error
	hint string
}

func (e *BackupError) Error() string { return "the archive could not be made: " + e.Err.Error() }
func (e *BackupError) Unwrap() error { return e.Err }
func (e *BackupError) Hint() string  { return e.hint }

// failed makes a BackupError of what went wrong with a place.
func (c *Backups) failed(err error, root string) *BackupError {
	var be *BackupError
	if errors.As(err, &be) {
		return &BackupError{&placeless{be.Err, root}, be.hint}
	}
	key := "archive.dir"
	if strings.HasPrefix(err.Error(), "archive.copy_to") {
		key = "archive.copy_to"
	}
	hint := "look at the folder that " + key + " names, and try again: audit archive create"
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		hint = "make room on the disk, or name another folder as " + key + "; older archives are intact"
	case errors.Is(err, fs.ErrPermission):
		hint = "let the user who runs audit write there, or name another folder as " + key
	case errors.Is(err, syscall.EROFS):
		hint = "that file system is read-only: name another folder as " + key
	}
	return &BackupError{&placeless{err, root}, hint}
}

// A placeless is an error that does not depend on where the project lies.
type placeless struct {
	error
	root string
}

func (e *placeless) Error() string {
	return strings.ReplaceAll(e.error.Error(), e.root+string(filepath.Separator), "")
}
func (e *placeless) Unwrap() error { return e.error }

// recipients reads the public keys, if archives are to be encrypted.
func (c *Backups) recipients() ([]age.Recipient, error) {
	if c.Recipients == "" {
		return nil, nil
	}
	r, err := archive.Recipients(c.Recipients)
	if err != nil {
		return nil, &BackupError{fmt.Errorf("archive.recipients_file: %w", err), "it holds public keys, one a line (age1…, age1pq… or ssh-…); without it nothing is written, rather than in the clear"}
	}
	return r, nil
}

// keys is a digest of the file of public keys: for other keys another archive is due.
func (c *Backups) keys() string {
	if c.Recipients == "" {
		return ""
	}
	sum, err := archive.Digest(c.Recipients)
	if err != nil {
		return "unreadable"
	}
	return sum
}

// A request is one archive that is wanted.
type request struct {
	cfg   *Backups
	host  host.Host
	tool  string
	store string // id
	from  *backed
	kind  archive.Kind
	full  archive.Source // of a full one: the store
	left  []archive.LeftOut
	g     *gatherer
	to    []age.Recipient
	thin  *thinner
}

// write writes an archive, and its copy, under temporary names.
func (r *request) write(ctx context.Context) (_ *archiving, err error) {
	d := &archive.Draft{Dir: r.cfg.Dir, Recipients: r.to, Name: archive.Name{Owner: archive.Owner(r.host.Name(), r.host.Root()), At: r.from.Info.Started, Seq: r.from.Seq, Kind: r.kind},
		Manifest: archive.Manifest{Tool: r.tool, Host: r.host.Name(), Store: r.store, Snapshot: archive.Ref{Seq: r.from.Seq, ID: r.from.Info.ID, At: r.from.Info.Started}, LeftOut: slices.Concat(r.g.left, r.left)}}
	if r.kind == archive.Full {
		for _, s := range r.g.sources { // files are in the store already
			if !strings.HasPrefix(s.Name, archive.FilesFolder) {
				d.Sources = append(d.Sources, s)
			}
		}
		d.Sources = append(d.Sources, r.full)
	} else {
		write, err := r.from.encoder()
		if err != nil {
			return nil, err
		}
		state, err := archive.Made(archive.StateName, 0o600, write)
		if err != nil {
			return nil, err
		}
		d.Sources = append(slices.Clone(r.g.sources), state)
		if len(r.to) > 0 {
			d.Sources = append(d.Sources, archive.Bytes(archive.KeyName, 0o600, r.g.key))
		}
	}
	a := &archiving{from: r.from.Seq}
	defer func() {
		if err != nil {
			a.close()
		}
	}()
	if a.Made, err = archive.Write(ctx, d); err != nil {
		return nil, err
	}
	a.note = madeState{File: a.Made.Name.String(), At: r.host.Now().UTC(), SHA256: a.Made.SHA256, Content: r.g.content(r.from.Snapshot), Lacks: r.g.lacks(r.from.Snapshot)}
	if r.cfg.CopyTo != "" {
		if a.copy, err = a.Made.CopyTo(r.cfg.CopyTo); err != nil {
			return nil, fmt.Errorf("archive.copy_to: %w", err)
		}
	}
	if a.Drop, err = r.thin.plan(a.Made); err == nil && a.copy != nil {
		a.also, err = r.thin.plan(a.copy)
	}
	return a, err
}

// commit gives archive and copy their names.
func (a *archiving) commit() error {
	if err := a.Made.Commit(); err != nil {
		return err
	}
	if a.copy != nil {
		if err := a.copy.Commit(); err != nil {
			os.Remove(a.Made.Path())
			return fmt.Errorf("archive.copy_to: %w", err)
		}
	}
	return nil
}

// revoke takes an archive away of a snapshot that is not kept after all.
func (a *archiving) revoke() {
	if a != nil {
		os.Remove(a.Made.Path())
		if a.copy != nil {
			os.Remove(a.copy.Path())
		}
	}
}

// record notes the archive in the store, and in the journal with what goes for it.
func (a *archiving) record(tx *store.Tx, e rules.Entry) error {
	b, err := readBackups(tx)
	if err != nil {
		return err
	}
	dirs := []string{a.Made.Dir}
	if a.copy != nil {
		dirs = append(dirs, a.copy.Dir)
	}
	b.made(a.note, a.gone(), dirs...)
	if err := writeBackups(tx, b); err != nil {
		return err
	}
	e.Command, e.Phase = "archive create", "done"
	e.What = fmt.Sprintf("%s archive of snapshot #%d: %s", a.Made.Name.Kind, a.from, a.note.File)
	e.Data = map[string]string{"sha256": a.Made.SHA256, "plain": a.Made.Plain}
	if err := Append(tx, e); err != nil {
		return err
	}
	for _, drop := range [][]archive.Drop{a.Drop, a.also} {
		if len(drop) == 0 {
			continue
		}
		names := make([]string, len(drop))
		for i, d := range drop {
			names[i] = d.File + " (" + d.Why + ")"
		}
		where := filepath.Base(a.Made.Dir)
		if &drop[0] != &a.Drop[0] {
			where = filepath.Base(a.copy.Dir)
		}
		e.Command, e.Phase, e.Data = "archive retention", "done", nil
		e.What = fmt.Sprintf("%d removed from %s: %s", len(drop), where, strings.Join(names, ", "))
		if err := Append(tx, e); err != nil {
			return err
		}
	}
	return nil
}

// shown is the archive as reports show it.
func (a *archiving) shown(root string) *report.Archive {
	return &report.Archive{Path: shown(root, a.Made.Path()), SHA256: a.Made.SHA256, Bytes: a.Made.Bytes, Encrypted: a.Made.Name.Encrypted}
}

// backUp makes the archive of a run, if one is wanted. It comes before the
// commit: what goes wrong is then a finding of this run.
func (s *session) backUp(ctx context.Context, v *View) (*archiving, error) {
	c := &s.Config.Backups
	var to []age.Recipient
	to, err := c.recipients()
	if err != nil {
		return nil, err
	}
	content := func() stored { return stored{s.tx, s.stage} } // keepAhead opens the store anew
	g := &gatherer{host: s.Host, bytes: func(sum string) ([]byte, error) { return content().Bytes(sum) }, has: func(sum string) bool { return content().has(sum) }, memo: s.memo, key: s.key, sealed: len(to) > 0, keys: c.keys()}
	g.secrets(v.Snapshot)
	if c.When != WhenAlways && s.there(g.content(v.Snapshot)) && s.whole(g, v.Snapshot) {
		return nil, nil
	}
	if err := g.files(v.Snapshot); err != nil {
		return nil, err
	}
	if err := s.keepAhead(); err != nil {
		return nil, &CommitError{err}
	}
	from := backedView(v)
	from.states = s.cmp.dirty
	r := &request{cfg: c, host: s.Host, tool: s.Version, store: s.reader.ID(), from: from, kind: archive.Slim, g: g, to: to, thin: newThinner(c, s.Host.Root(), s.Store, &s.backups)}
	a, err := r.write(ctx)
	if err != nil {
		return nil, err
	}
	if err := a.commit(); err != nil {
		a.close()
		return nil, err
	}
	return a, nil
}

// there reports whether an archive of this content is there already.
func (s *session) there(content string) bool {
	last := s.backups.Last
	if last == nil || last.Content != content {
		return false
	}
	for _, dir := range []string{s.Config.Backups.Dir, s.Config.Backups.CopyTo} {
		if dir == "" {
			continue
		}
		if st, err := os.Lstat(filepath.Join(dir, last.File)); err != nil || !st.Mode().IsRegular() {
			return false
		}
	}
	return true
}

// whole reports whether the last archive has all bytes that one made now would have:
// a repair may have brought some back since.
func (s *session) whole(g *gatherer, snap *snapshot.Snapshot) bool {
	last := s.backups.Last
	return last.Lacks == 0 || last.Lacks <= g.lacks(snap)
}

// noteArchive records the archive of the run in the transaction of its commit.
func (s *session) noteArchive(tx *store.Tx) error {
	if s.archived == nil {
		return nil
	}
	return s.archived.record(tx, rules.Entry{At: s.Host.Now(), Actor: s.Actor, Tool: s.Version})
}
