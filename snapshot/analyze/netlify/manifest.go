package netlify

import (
	"bytes"
	"slices"
	"time"

	"healthaudit/snapshot/analyze/jsontext"
)

// MaxManifest is the size in bytes above which a manifest is not parsed.
const MaxManifest = 1 << 20

// maxEntries bounds the entries that are read of one manifest.
const maxEntries = 10_000

// maxDefects bounds the defects that are kept of one kind.
const maxDefects = 50

// Formats of manifests.
const (
	ListOfNames   = "names"   // {"functions": ["a", …]} or ["a", …]
	ListOfObjects = "objects" // {"functions": [{"name": "a", …}, …]}
	ListMixed     = "mixed"   // both in one list
	BuildOutput   = "build"   // what Netlify's build leaves in .netlify/functions/manifest.json: version, timestamp, system
)

// Kinds of defects of a manifest, each a discriminator: not to be renamed.
const (
	DefectSyntax    = "syntax"    // no JSON: nothing can read it
	DefectEncoding  = "encoding"  // not UTF-8, or with a byte order mark
	DefectFunctions = "functions" // no list of functions
	DefectEntry     = "entry"     // an entry without a usable name
	DefectMixed     = "mixed"     // names and objects in one list
	DefectDuplicate = "duplicate" // a function or a key stands twice
	DefectGenerated = "generated" // generatedAt is no time
)

// A Defect is one thing wrong with a manifest by itself.
type Defect struct {
	Place
	Kind    string `json:"kind"`
	Message string `json:"message"`
}

// An Entry is one function that a manifest lists.
type Entry struct {
	Place
	Name      string `json:"name"`
	Path      string `json:"path,omitempty"`  // as it stands, where the entry has one that is a file of the project's
	Generated bool   `json:"gen,omitempty"`   // a build made the function: it has no source among the functions
	Built     *Built `json:"built,omitempty"` // of the manifest of a build
}

// Built is what Netlify's build says of a function that it packed.
type Built struct {
	Runtime  string `json:"runtime,omitempty"`
	Bundler  string `json:"bundler,omitempty"`
	Schedule string `json:"schedule,omitempty"`
	Archive  string `json:"archive,omitempty"` // name of the archive beside the manifest
	API      int    `json:"api,omitempty"`     // version of the functions API; 0: its analysis could not read the file
}

// A Manifest is what a list of functions says.
type Manifest struct {
	Format  string   `json:"format,omitempty"` // empty: no list could be read
	List    Place    `json:"list"`
	Entries []Entry  `json:"entries,omitempty"` // in the order of the file, each name once
	Defects []Defect `json:"defects,omitempty"`
	// Generated is when it says that it was written, zero when it does not say
	// so. Another date is no other list.
	Generated   time.Time `json:"generated,omitzero"`
	GeneratedAt Place     `json:"generatedAt,omitzero"`
}

// Broken reports whether no list of functions could be read from it.
func (m *Manifest) Broken() bool { return m.Format == "" }

// Names returns the names it lists, sorted, each once.
func (m *Manifest) Names() []string {
	out := make([]string, 0, len(m.Entries))
	for _, e := range m.Entries {
		out = append(out, e.Name)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// ParseManifest reads a manifest of any known form. It never fails: what is
// wrong is in Defects.
func ParseManifest(src []byte) Manifest {
	r := manifestReader{r: jsontext.NewReader(src), first: map[string]Place{}, told: map[string]int{}}
	switch {
	case len(src) > MaxManifest:
		r.defect(Place{1, 1}, DefectSyntax, "larger than 1 MiB, not parsed")
	case bytes.HasPrefix(src, []byte("\xff\xfe")) || bytes.HasPrefix(src, []byte("\xfe\xff")):
		r.defect(Place{1, 1}, DefectEncoding, "it is UTF-16; JSON is read as UTF-8")
	case r.r.Empty():
		r.defect(Place{1, 1}, DefectSyntax, "the file is empty")
	default:
		r.document()
		r.bytes(src)
	}
	r.settle()
	return r.m
}
