package snapshot

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"slices"
	"sort"
	"strings"
	"unique"
)

// A Class says how a fact behaves over time.
type Class string

const (
	Semantic Class = "semantic" // compared: a difference is a change
	Set      Class = "set"      // compared without order (the value was made by SetOf)
	Secret   Class = "secret"   // compared by keyed hash: the value is Session.Secret(clear text), never the clear text
	Detail   Class = "detail"   // kept with the item, never compared: where in its file something stands
	Volatile Class = "volatile" // kept with the snapshot, never compared: pid, uptime, next run
)

// A Fact is one named property of an item.
type Fact struct {
	Name  string `json:"n"`
	Class Class  `json:"c,omitempty"` // empty means Semantic
	Value Value  `json:"v"`
}

// A Metric is one number of an item at the time of the snapshot. Metrics are
// never compared as changes; they form series. A sample belongs to the series
// of its incarnation (start time, unique id): another one starts a new series.
type Metric struct {
	Name        string  `json:"n"`
	Value       float64 `json:"v"`
	Counter     bool    `json:"k,omitempty"` // only ever increases within an incarnation
	Incarnation string  `json:"i,omitempty"`
}

// A Role says whether a file belongs to one item or to several. Restoring an
// item writes only its own files.
type Role string

const (
	Own    Role = "own"
	Shared Role = "shared"
)

// A File is one file of the project as it was. SHA256 is empty when its bytes
// were not read: too large (Size tells), not a regular file, unreadable, or of
// a kind whose bytes may be secret (.env, dump, keys).
type File struct {
	Path   string      `json:"p"`           // slash-separated, relative to the root
	Mode   fs.FileMode `json:"m"`           // permission bits and, for anything but regular files, the type bits
	Size   int64       `json:"s"`           // bytes
	SHA256 string      `json:"h,omitempty"` // lower-case hex of the content (of the target's text for a link)
	Link   string      `json:"l,omitempty"` // target of a symbolic link, as it stands
	Role   Role        `json:"r,omitempty"` // empty means Own
}

// A RefKind says what a Ref points at.
type RefKind string

const (
	RefFile     RefKind = "file"     // a project file: Path
	RefNPM      RefKind = "npm"      // an npm script: Name in the package.json of folder Dir
	RefFunction RefKind = "function" // a Netlify function: Name
	RefWorkflow RefKind = "workflow" // a workflow file in .github/workflows: Name
	RefAction   RefKind = "action"   // a local action folder: Path
	RefApp      RefKind = "pm2"      // a PM2 app: Name
	RefBin      RefKind = "bin"      // a program on PATH or in node_modules/.bin: Name
)

// A Ref says that an item starts something: the answer to "what does this
// line run?". It never holds the text of the command, which may hold secrets.
type Ref struct {
	Kind    RefKind `json:"k"`
	Path    string  `json:"p,omitempty"`
	Dir     string  `json:"d,omitempty"` // "." for the root
	Name    string  `json:"n,omitempty"`
	Direct  bool    `json:"x,omitempty"` // executed directly (./x.sh), so that the executable bit matters
	Args    bool    `json:"a,omitempty"` // it is started with arguments, so that two such starts may do different things
	Guarded bool    `json:"g,omitempty"` // a missing target does no harm: `|| …`, `[ -f x ] &&`, --if-present, an if: around it
	File    string  `json:"f,omitempty"` // where the line stands; empty: the item's own path
	Line    int     `json:"y,omitempty"` // 1-based; 0 unknown
	Column  int     `json:"z,omitempty"`
	Where   string  `json:"w,omitempty"` // stable place for a discriminator: job and step key, script name
}

// Target returns the stable name of what the ref points at, for discriminators
// and messages: "npm run build in web", "scripts/x.sh".
func (r Ref) Target() string {
	switch r.Kind {
	case RefFile, RefAction:
		return r.Path
	case RefNPM:
		if r.Dir != "" && r.Dir != "." {
			return "npm run " + r.Name + " in " + r.Dir
		}
		return "npm run " + r.Name
	}
	return string(r.Kind) + " " + r.Name
}

// The Where of a reference to a file that is loaded, not started: it belongs to
// the code that loads it and is no automation by itself.
const (
	Import     = "import"      // without it the code does not begin
	LazyImport = "lazy import" // it is loaded when a function is called
)

// Child is the Where of what code starts as another program, somewhere in it.
const Child = "child process"

// Loads reports whether the ref is one to a file that is loaded.
func (r Ref) Loads() bool { return r.Where == Import || r.Where == LazyImport }

// A Schedule is one declared schedule of an item.
type Schedule struct {
	Dialect    string `json:"dialect"` // crontab, github, netlify or pm2
	Expression string `json:"expr"`
	Timezone   string `json:"tz,omitempty"`  // IANA name; empty: the platform's (UTC, or the machine's for crontab and pm2)
	Effective  bool   `json:"eff,omitempty"` // the platform reads and obeys it
	Why        string `json:"why,omitempty"` // why it is not effective
	Path       string `json:"path,omitempty"`
	Line       int    `json:"line,omitempty"`
	Column     int    `json:"col,omitempty"`
}

// An Item is one piece of automation, or a file that configures some.
type Item struct {
	Key       Key         `json:"key"`
	Name      string      `json:"name"`            // for a person, unescaped
	Kind      string      `json:"kind"`            // what it is within its system: app, instance, file, workflow, action, function, edge, npm, cron, script …
	Path      string      `json:"path,omitempty"`  // the file a person would open for it; empty if none
	Line      int         `json:"line,omitempty"`  // where in Path it is declared; 0 is the whole file
	Source    string      `json:"source"`          // the Source that listed it
	State     string      `json:"state,omitempty"` // one word of its system for what it is doing: online, errored, disabled
	Unknown   string      `json:"unk,omitempty"`   // why it cannot be judged although it is listed; empty when it can
	Torn      bool        `json:"torn,omitempty"`  // its file could not be read whole: a fact that is missing is not known to be gone
	Facts     Parts[Fact] `json:"facts,omitzero"`
	Metrics   []Metric    `json:"-"` // kept per snapshot, not in the item's state
	Files     []File      `json:"files,omitempty"`
	Refs      Parts[Ref]  `json:"refs,omitzero"`
	Schedules []Schedule  `json:"sched,omitempty"`

	// Carried is true when the source of the item could not be read in this
	// snapshot, and everything above is what was last known.
	Carried bool `json:"-"`
}

// Foreign reports whether a plugin listed the item, of whose doings nobody here
// knows anything.
func (it *Item) Foreign() bool { return strings.HasPrefix(it.Source, PluginSource) }

// PluginSource begins the names of the sources of plugins.
const PluginSource = "plugin:"

// partial reports whether a fact that is missing may be there all the same.
func (it *Item) partial() bool { return it.Torn || it.Unknown != "" }

// System returns the system of the item.
func (it *Item) System() System { return it.Key.System() }

// Fact returns the value of the fact of that name.
func (it *Item) Fact(name string) (Value, bool) {
	if s := it.Facts.stored; s.scant() {
		return findFact(s, name)
	}
	facts := it.Facts.All()
	i := sort.Search(len(facts), func(i int) bool { return facts[i].Name >= name })
	if i < len(facts) && facts[i].Name == name {
		return facts[i].Value, true
	}
	return Value{}, false
}

// Volatile returns the facts of that class.
func (it *Item) Volatile() (list []Fact) {
	for _, f := range it.Facts.list { // those that are stored are none
		if f.Class == Volatile {
			list = append(list, f)
		}
	}
	return list
}

// Metric returns the metric of that name.
func (it *Item) Metric(name string) (Metric, bool) {
	for _, m := range it.Metrics {
		if m.Name == name {
			return m, true
		}
	}
	return Metric{}, false
}

// Add adds a fact. Call Sort when all are added.
func (it *Item) Add(class Class, name string, v Value) {
	if class == Semantic {
		class = ""
	}
	// Items of a project have the same fact names, over and over: one copy of each is kept.
	it.Facts.Add(Fact{Name: unique.Make(name).Value(), Class: class, Value: v})
}

// Sort brings facts, metrics, files and refs into the canonical order.
func (it *Item) Sort() {
	it.Facts.sort(func(a, b Fact) int { return strings.Compare(a.Name, b.Name) })
	order(it.Metrics, func(a, b Metric) int { return strings.Compare(a.Name, b.Name) })
	order(it.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	it.Refs.sort(func(a, b Ref) int {
		return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line, strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.Target(), b.Target()))
	})
}

// order sorts what is not in order yet: most items come from an earlier run as they are.
func order[T any](list []T, cmp func(a, b T) int) {
	if !slices.IsSortedFunc(list, cmp) {
		slices.SortStableFunc(list, cmp)
	}
}

// OwnFile returns the file of the item at its Path.
func (it *Item) OwnFile() (File, bool) {
	for _, f := range it.Files {
		if f.Path == it.Path {
			return f, true
		}
	}
	return File{}, false
}

// Sum returns the lower-case hex sha256 of b, the name of every blob.
func Sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}
