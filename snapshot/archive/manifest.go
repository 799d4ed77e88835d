package archive

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"
)

// Format is the format of archives that this package writes and reads.
const Format = "audit.archive/v1"

// The entries of an archive that are no file of the project. Everything else
// lies below one of the folders.
const (
	ManifestName  = "MANIFEST.json"       // always the first
	StateName     = "state/snapshot.json" // of a slim archive: the state of its snapshot
	StoreName     = "store/audit.db"      // of a full one: the store, compacted
	KeyName       = "store/key"           // of an encrypted slim one: the key of the hashes in its state
	FilesFolder   = "files/"              // captured files, below the root of the project
	SecretsFolder = "secrets/"            // of an encrypted one: files that are never captured
	PM2Folder     = "pm2/"                // of an encrypted one: 1/dump.pm2 and so on, one folder for each PM2 home
	PM2HomeName   = "home"                // in each of those folders: the path of that home
)

// A Manifest says what an archive holds, and is its first entry: with the
// digests at hand, everything that follows is checked as it is read.
type Manifest struct {
	Format    string    `json:"format"`
	Kind      Kind      `json:"kind"`
	Tool      string    `json:"tool"` // version of audit
	Host      string    `json:"host"`
	Store     string    `json:"store"` // id of the store
	Snapshot  Ref       `json:"snapshot"`
	Encrypted bool      `json:"encrypted"`
	Entries   []Entry   `json:"entries"`  // in the order they follow, sorted by name
	LeftOut   []LeftOut `json:"left_out"` // sorted by path
}

// A Ref names a snapshot.
type Ref struct {
	Seq uint64    `json:"seq"`
	ID  string    `json:"id"`
	At  time.Time `json:"at"`
}

// An Entry is one file or symbolic link of an archive.
type Entry struct {
	Name   string      `json:"name"`
	Mode   fs.FileMode `json:"mode"` // permission bits
	Size   int64       `json:"size"` // bytes; of a link, of its target's text
	SHA256 string      `json:"sha256"`
	Link   string      `json:"link,omitempty"`
}

// A LeftOut is a file that an archive does not hold although its snapshot knows it.
type LeftOut struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

// raw is an entry as JSON: a name that is no UTF-8, which JSON cannot say, is
// written as its bytes, in base64.
type rawEntry struct {
	Name      string `json:"name,omitempty"`
	NameBytes []byte `json:"name_base64,omitempty"`
	Mode      string `json:"mode"` // octal
	Size      int64  `json:"size"`
	SHA256    string `json:"sha256"`
	Link      string `json:"link,omitempty"`
	LinkBytes []byte `json:"link_base64,omitempty"`
}

// MarshalJSON writes an entry whatever its name is.
func (e Entry) MarshalJSON() ([]byte, error) {
	r := rawEntry{Mode: fmt.Sprintf("%04o", e.Mode.Perm()), Size: e.Size, SHA256: e.SHA256}
	r.Name, r.NameBytes = text(e.Name)
	r.Link, r.LinkBytes = text(e.Link)
	return json.Marshal(r)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (e *Entry) UnmarshalJSON(b []byte) error {
	var r rawEntry
	if err := json.Unmarshal(b, &r); err != nil {
		return err
	}
	var mode uint32
	if _, err := fmt.Sscanf(r.Mode, "%o", &mode); err != nil {
		return fmt.Errorf("mode %.20q: %w", r.Mode, err)
	}
	*e = Entry{Name: r.Name + string(r.NameBytes), Mode: fs.FileMode(mode) & fs.ModePerm, Size: r.Size, SHA256: r.SHA256, Link: r.Link + string(r.LinkBytes)}
	return nil
}

func text(s string) (string, []byte) {
	if utf8.ValidString(s) {
		return s, nil
	}
	return "", []byte(s)
}

// Encode returns the bytes of a manifest: JSON that a person can read.
func (m *Manifest) Encode() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(m); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// decodeManifest reads a manifest and refuses one that no archive of ours has.
func decodeManifest(b []byte) (*Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, damaged("its manifest is not readable: %v", err)
	}
	switch {
	case m.Format == "":
		return nil, ErrForeign
	case m.Format != Format:
		return nil, damaged("it is of the format %.40q, which this version of audit does not read", m.Format)
	case m.Kind != Full && m.Kind != Slim:
		return nil, damaged("it is of no kind that there is: %.40q", m.Kind)
	case len(m.Entries) > maxEntries:
		return nil, damaged("it has more than %d entries", maxEntries)
	}
	last := ""
	for _, e := range m.Entries {
		if err := e.check(); err != nil {
			return nil, err
		}
		if e.Name <= last {
			return nil, damaged("the entry %.200q is there twice, or out of order", e.Name)
		}
		last = e.Name
	}
	return &m, nil
}

// check refuses an entry that could stand for something outside of the archive.
func (e *Entry) check() error {
	_, below, ok := strings.Cut(e.Name, "/")
	switch {
	case !ok, path.Clean(e.Name) != e.Name, !filepath.IsLocal(filepath.FromSlash(e.Name)), !filepath.IsLocal(filepath.FromSlash(below)), strings.ContainsRune(e.Name+e.Link, 0):
		return damaged("the name %.200q leads out of it", e.Name)
	case e.Size < 0, len(e.SHA256) != 64:
		return damaged("the entry %.200q has no size or digest", e.Name)
	case e.Size > maxEntry && e.Name != StoreName:
		return damaged("the entry %.200q has %d bytes, more than audit ever keeps of one file", e.Name, e.Size)
	case e.Link != "" && !strings.HasPrefix(e.Name, FilesFolder):
		return damaged("the entry %.200q is a link", e.Name)
	}
	return nil
}

// Entry returns the entry of that name.
func (m *Manifest) Entry(name string) (Entry, bool) {
	for _, e := range m.Entries {
		if e.Name == name {
			return e, true
		}
	}
	return Entry{}, false
}
