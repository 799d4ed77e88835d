package workflow

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
	"healthaudit/snapshot/collect"
)

const cursorName = "version"

// version is raised, besides model.Version, when an item is made differently
// of an equal file: by facts.go, or by the resolver of commands.
const version = 2

// A reader makes items of files. It is safe for concurrent use once made.
type reader struct {
	s       *collect.Session
	config  model.Config
	slug    string // owner/name of the repository, "" when not known
	context []snapshot.File
	stamp   json.RawMessage // what made these items
	reuse   bool            // the last run's items were made by the very same code
	fresh   bool            // past every cache
	shells  shells
	same    shared
}

func newReader(s *collect.Session) *reader {
	r := &reader{s: s}
	found := func(p string) (snapshot.File, bool) {
		if !s.Tree.HasFile(p) {
			return snapshot.File{}, false
		}
		f, err := s.Files.File(p, snapshot.Shared)
		if err == nil {
			r.context = append(r.context, f)
		}
		return f, err == nil
	}
	r.config = model.ConfigAt(found, func(f snapshot.File) []byte { b, _ := s.Files.Bytes(f); return b })
	was := ""
	if s.Cursors != nil {
		_ = json.Unmarshal(s.Cursors(snapshot.Workflows, cursorName), &was)
	}
	if s.Repository != nil {
		r.slug = s.Repository.Slug
	} else if _, old, ok := strings.Cut(was, " of "); ok { // git could not be asked this time
		r.slug = old
	}
	stamp := fmt.Sprintf("%d.%d.%d %s of %s", epoch, version, model.Version, r.config.SHA256, r.slug)
	r.stamp, _ = json.Marshal(stamp)
	r.findShellcheck()
	r.reuse = was == stamp &&
		(r.shells.tool == "" || string(s.Cursors(snapshot.Workflows, shellCursor)) == string(r.shells.stamp()))
	return r
}

// read makes the item of one file. It never fails: what cannot be read is said
// by the item.
func (r *reader) read(p string) *snapshot.Item {
	it := &snapshot.Item{Key: KeyOf(p), Name: path.Base(p), Kind: string(model.KindOf(p)), Path: p, Source: source, State: "active"}
	if it.Kind == string(model.Action) {
		it.Name = path.Dir(p)
	}
	f, err := r.file(p)
	it.Files = []snapshot.File{f}
	if why := r.unusable(f, err); why != "" {
		it.State, it.Unknown = "unreadable", why
		carryFacts(it, r.s.Previous.Item(it.Key))
		it.Sort()
		return it
	}
	old := r.s.Previous.Item(it.Key)
	if r.reuse && !r.fresh && old != nil && !old.Carried && len(old.Files) == 1 && old.Files[0] == f && old.Unknown == "" {
		return old
	}
	var doc *model.Document
	open := func() *model.Document {
		if doc == nil {
			if b, err := r.bytes(f); err == nil {
				doc = model.Parse(p, b)
			}
		}
		return doc
	}
	if open() == nil {
		it.State, it.Unknown = "unreadable", "it changed or went away while it was read"
		carryFacts(it, old)
		it.Sort()
		return it
	}
	m := doc.Model(r.s.Secret)
	if v := model.Judge(r.s.Derived, p, f.SHA256, r.config, open); len(v.Problems) > 0 {
		it.State = model.Invalid
	}
	r.shells.add(r.s.Derived, f.SHA256, open())
	m.Refs = append(m.Refs, m.OwnCalls(r.slug)...)
	describe(it, &m, &r.same)
	if m.Broken {
		carryFacts(it, old)
	} else {
		carryGutted(it, old)
	}
	it.Sort()
	return it
}

// unusable says why the bytes of a file cannot be had; "" when they can.
func (r *reader) unusable(f snapshot.File, err error) string {
	switch {
	case err != nil && f.Mode&fs.ModeDir != 0:
		return "it is a folder"
	case err != nil:
		return unreadable(err)
	case f.Link != "":
		return "it is a symbolic link"
	case f.Size > model.MaxSize:
		return fmt.Sprintf("it is larger than %d KiB", model.MaxSize>>10)
	}
	return ""
}

func (r *reader) file(p string) (snapshot.File, error) {
	if !r.fresh {
		return r.s.Files.File(p, snapshot.Own)
	}
	f := snapshot.File{Path: p}
	st, err := r.s.Host.Stat(p)
	if err != nil {
		return f, err
	}
	f.Mode, f.Size = st.Mode, st.Size
	if st.Mode&fs.ModeSymlink != 0 {
		f.Link, err = r.s.Host.Link(p)
		f.SHA256 = snapshot.Sum([]byte(f.Link))
		return f, err
	}
	b, err := r.s.Host.Read(p, collect.MaxFile)
	if err != nil {
		return f, err
	}
	f.Size, f.SHA256 = int64(len(b)), snapshot.Sum(b)
	return f, nil
}

func (r *reader) bytes(f snapshot.File) ([]byte, error) {
	if !r.fresh {
		return r.s.Files.Bytes(f)
	}
	b, err := r.s.Host.Read(f.Path, collect.MaxFile)
	if err == nil && snapshot.Sum(b) != f.SHA256 {
		return nil, fmt.Errorf("%s: changed while it was read", f.Path)
	}
	return b, err
}
