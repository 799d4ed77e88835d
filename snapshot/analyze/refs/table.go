package refs

import (
	"path"
	"slices"
	"strings"
	"sync"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/pkgjson"
)

// A Status says whether the target of a Ref is there.
type Status string

const (
	Found   Status = "found"
	Missing Status = "missing"
	Unknown Status = "unknown" // it cannot be told: ignored folder, submodule, generated, unreadable
)

// A Resolution is the answer to one Ref.
type Resolution struct {
	Status    Status
	Why       string       // one phrase for a person: why Missing or Unknown; empty when Found
	Item      snapshot.Key // the item it starts, if there is one
	OtherCase string       // the path or name that differs only in letter case, when Missing
	Unread    bool         // Unknown, because the file that would tell could not be read this time
}

// A Table is the symbol table of one snapshot. It is safe for concurrent use.
type Table struct {
	mu    sync.Mutex
	known map[snapshot.Ref]Resolution // what was asked already

	now       *snapshot.Snapshot
	packages  map[string]pack           // by folder
	byPath    map[string]snapshot.Key   // the item that is this file
	functions map[string][]snapshot.Key // by name
	workflows map[string]snapshot.Key   // by display name
	apps      map[string][]snapshot.Key // by name

	startedOnce sync.Once
	started     map[snapshot.Key]Started

	graphOnce sync.Once
	graph     Graph
}

// A pack is what a table knows of one package.json.
type pack struct {
	Name    string   `json:"n,omitempty"`
	Scripts []string `json:"s,omitempty"` // sorted
	Valid   bool     `json:"v,omitempty"` // npm can read the file
	Done    bool     `json:"d"`           // its bytes could be read
}

func (p pack) has(script string) bool {
	_, ok := slices.BinarySearch(p.Scripts, script)
	return ok
}

// NewTable returns the table of a snapshot: every package.json among its
// context and item files, its tree, its items. d may be nil; with one, all who
// ask for the table of a snapshot share it, and those who ask for that of its
// still one: a table reads nothing that moves.
func NewTable(now *snapshot.Snapshot, d *snapshot.Derived) *Table {
	return snapshot.Once(d, tableOf{now.Moving()}, func() *Table { return newTable(now, d) })
}

type tableOf struct{ *snapshot.Snapshot }

func newTable(now *snapshot.Snapshot, d *snapshot.Derived) *Table {
	t := &Table{now: now, known: map[snapshot.Ref]Resolution{}, packages: map[string]pack{}, byPath: map[string]snapshot.Key{}, functions: map[string][]snapshot.Key{},
		workflows: map[string]snapshot.Key{}, apps: map[string][]snapshot.Key{}}
	if now == nil {
		t.now = &snapshot.Snapshot{}
		return t
	}
	for _, f := range now.Context {
		t.packageFile(f, d)
	}
	for _, it := range now.Items {
		for _, f := range it.Files {
			t.packageFile(f, d)
		}
		t.item(it)
	}
	return t
}

func (t *Table) packageFile(f snapshot.File, d *snapshot.Derived) {
	if path.Base(f.Path) != "package.json" || f.SHA256 == "" || f.Link != "" {
		return
	}
	dir := path.Dir(f.Path)
	if _, ok := t.packages[dir]; ok {
		return
	}
	compute := func() pack { return t.read(f) }
	p := snapshot.Derive(d, "refs.package", 1, []string{f.SHA256}, compute)
	if !p.Done { // what could not be read once may be readable now
		p = compute()
	}
	t.packages[dir] = p
}

func (t *Table) read(f snapshot.File) pack {
	if t.now.Content == nil || f.Size > pkgjson.MaxSize {
		return pack{}
	}
	b, err := t.now.Content.Bytes(f.SHA256)
	if err != nil {
		return pack{}
	}
	m := pkgjson.Parse(b)
	p := pack{Name: m.Name, Valid: m.Broken() == nil, Done: true}
	for _, s := range m.Scripts {
		p.Scripts = append(p.Scripts, s.Name)
	}
	slices.Sort(p.Scripts)
	return p
}

func (t *Table) item(it *snapshot.Item) {
	switch it.System() {
	case snapshot.Functions:
		t.functions[it.Name] = append(t.functions[it.Name], it.Key)
		if name := path.Base(it.Key.Name()); name != it.Name {
			t.functions[name] = append(t.functions[name], it.Key)
		}
	case snapshot.Workflows:
		if _, ok := t.workflows[it.Name]; !ok {
			t.workflows[it.Name] = it.Key
		}
	case snapshot.PM2:
		t.apps[it.Name] = append(t.apps[it.Name], it.Key)
	}
	if it.Path == "" || it.Line > 0 || it.Kind == "app" || it.Kind == "instance" { // declared in the file, not the file
		return
	}
	// A script of its own is what a line starts; else whatever item is the file.
	if _, ok := t.byPath[it.Path]; !ok || it.Key == snapshot.NewKey(snapshot.Scripts, snapshot.Escape(it.Path)) {
		t.byPath[it.Path] = it.Key
	}
}

// script returns the key of the item of an npm script, if it is one.
func (t *Table) script(dir, name string) snapshot.Key {
	k := snapshot.NewKey(snapshot.Scripts, snapshot.EscapeDir(dir)+"npm:"+snapshot.Escape(name))
	if t.now.Item(k) == nil {
		return ""
	}
	return k
}

// nearest returns the folder of the package.json that npm uses in dir: its own,
// else that of the closest folder above.
func (t *Table) nearest(dir string) (string, bool) {
	for d := dir; ; d = path.Dir(d) {
		if _, ok := t.packages[d]; ok || t.now.Tree.HasFile(path.Join(d, "package.json")) {
			return d, true
		}
		if d == "." || strings.HasPrefix(d, "/") {
			return "", false
		}
	}
}

// workspaces returns the folders of the packages of that name, sorted.
func (t *Table) workspaces(name string) []string {
	var out []string
	for dir, p := range t.packages {
		if p.Name == name {
			out = append(out, dir)
		}
	}
	slices.Sort(out)
	return out
}

// PackagesWith returns the folders whose package.json has a script of that name,
// sorted.
func (t *Table) PackagesWith(script string) (dirs []string) {
	for dir, p := range t.packages {
		if p.has(script) {
			dirs = append(dirs, dir)
		}
	}
	slices.Sort(dirs)
	return dirs
}
