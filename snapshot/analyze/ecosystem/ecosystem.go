// Package ecosystem reads PM2's process files: which apps a project declares.
//
// PM2 runs its configurations as programs. So do we, but only in a child
// process of ours (Child) that has no files, no network and no processes, and
// that is killed when it takes too long or too much. The parent (Evaluate)
// hands it the bytes of the project files it requires, and gets plain data.
//
// Invariants: no panic on any bytes; equal input gives equal output; no value
// of an environment variable and no argument that may be a secret leaves
// Evaluate in clear, also not in an error. It judges only whether PM2 could
// load the file, and it reads nothing itself.
package ecosystem

import (
	"path"
	"slices"
	"strings"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/lazyregexp"
	"healthaudit/snapshot/analyze/trait"
)

// Version is raised when Evaluate gives another result for the same input; it
// is the version of the cached analysis.
const Version = 10

// MaxText is the largest JSON or YAML file that is parsed, MaxScript the
// largest JavaScript file, in bytes.
const (
	MaxText   = 1 << 20
	MaxScript = 8 << 20
)

// A Kind says how PM2 reads a process file.
type Kind string

// The kinds. PM2 evaluates its JSON files as JavaScript expressions.
const (
	JSON   Kind = "json"
	YAML   Kind = "yaml"
	Script Kind = "js"  // require()
	Module Kind = "mjs" // require() of an ES module
)

// KindOf returns how PM2 reads a file of that name, by its own rule: the name
// contains the extension (lib/Common.js isConfigFile, lib/API.js). The empty
// Kind means that PM2 would start the file instead of reading it.
func KindOf(name string) Kind {
	name = path.Base(name)
	for _, k := range []struct {
		part string
		kind Kind
	}{
		{".json", JSON}, {".yml", YAML}, {".yaml", YAML},
		{".config.js", Script}, {".config.cjs", Script}, {".config.mjs", Module},
	} {
		if strings.Contains(name, k.part) {
			return k.kind
		}
	}
	return ""
}

var candidate = lazyregexp.New(`^(ecosystem(\.[\w-]+)?\.config\.(js|cjs|mjs)|(ecosystem|process|pm2)(\.[\w-]+)?\.(json|json5|yml|yaml)|(process|pm2)\.config\.(js|cjs|mjs)|[\w.-]*-pm2\.json)$`)

// IsCandidate reports whether a file of that name is usually a process file.
// A package.json is one only if it has "pm2" or "apps": see HasApps.
func IsCandidate(p string) bool {
	name := path.Base(p)
	for _, part := range []string{"ecosystem", "process", "pm2"} {
		if strings.Contains(name, part) {
			return slices.Contains(usual, name) || candidate().MatchString(name)
		}
	}
	return false
}

// usual are the names of most process files, for which no expression is compiled.
var usual = []string{"ecosystem.config.js", "ecosystem.config.cjs", "ecosystem.json", "process.json", "pm2.json"}

// A Status says what became of a process file.
type Status string

// The statuses of a File.
const (
	OK        Status = "ok"
	Invalid   Status = "invalid"    // PM2 could not load it either, or it does not end
	NeedsNode Status = "needs-node" // it does what only real Node may do: what it declares is not known
	NotConfig Status = "not-config" // a package.json that declares no apps
)

// A File is what a process file declares. It holds no secret and survives JSON.
type File struct {
	Kind     Kind      `json:"kind"`
	Status   Status    `json:"status"`
	Reason   string    `json:"reason,omitempty"` // why it is not OK, one phrase
	Line     int       `json:"line,omitempty"`   // where; 0 unknown
	Apps     []App     `json:"apps,omitempty"`   // in the order of the file
	Problems []Problem `json:"problems,omitempty"`
	EnvRead  []string  `json:"env_read,omitempty"` // environment variables it reads, sorted; "os.cpus" and the like: what depends on the machine
	// Need is a project path (as required, perhaps without its extension) whose
	// bytes must be given in Input.Files before the file can be read.
	Need string `json:"need,omitempty"`
	// Transient is set when a slow machine could be the cause of the status.
	Transient bool `json:"transient,omitempty"`

	varies [][]string // by raw app: see reply
}

// A Problem is something for which PM2 refuses the file, or starts nothing.
type Problem struct {
	App     string `json:"app,omitempty"`
	Key     string `json:"key,omitempty"` // of the schema
	Line    int    `json:"line,omitempty"`
	Message string `json:"message"`
}

// An App is one declared app.
type App struct {
	Name      string         `json:"name"`
	Namespace string         `json:"namespace"`            // "default" when none is given
	Line      int            `json:"line,omitempty"`       // where it is declared; 0 unknown
	Script    string         `json:"script,omitempty"`     // as declared; of a shell command only the program
	Command   bool           `json:"command,omitempty"`    // the script is a shell command line
	Cwd       string         `json:"cwd,omitempty"`        // as declared; below the root relative to it
	Rooted    bool           `json:"rooted,omitempty"`     // Script was an absolute path below the root: no folder is tried for it
	CwdRooted bool           `json:"cwd_rooted,omitempty"` // the same of Cwd
	Cron      string         `json:"cron,omitempty"`
	Settings  []Setting      `json:"settings,omitempty"` // what is declared, by schema key, sorted; arguments masked
	Secrets   []Hashed       `json:"secrets,omitempty"`  // keyed hashes, sorted by name: env.NAME, env_production.NAME, args, node_args, script
	Refs      []snapshot.Ref `json:"refs,omitempty"`     // what it starts
	Marks     []trait.Mark   `json:"marks,omitempty"`    // what its shell text is like, at the line of the app
	Varies    []string       `json:"varies,omitempty"`   // what depends on EnvRead, sorted: schema keys, names of Secrets; "*" is everything
}

// A Setting is one declared value. Numbers and truth values stay as declared.
type Setting struct {
	Key   string         `json:"key"`
	Value snapshot.Value `json:"value"`
}

// Hashed is a value that may be secret, by its keyed hash.
type Hashed struct {
	Name string `json:"name"`
	Hash string `json:"hash"`
}

// Setting returns the declared value of a schema key.
func (a *App) Setting(key string) (snapshot.Value, bool) {
	for _, s := range a.Settings {
		if s.Key == key {
			return s.Value, true
		}
	}
	return snapshot.Value{}, false
}

// HasEnv reports whether the app may have been started with that environment
// (pm2 start --env): one of its blocks, or any when it has none.
func (a *App) HasEnv(env string) bool {
	blocks := false
	for _, s := range a.Secrets {
		name, _, _ := strings.Cut(strings.TrimPrefix(s.Name, "env_"), ".")
		if !strings.HasPrefix(s.Name, "env_") {
			continue
		}
		if blocks = true; name == env {
			return true
		}
	}
	return !blocks
}

// A Dep is a project file that a process file requires, or its absence.
type Dep struct {
	Path   string `json:"path,omitempty"` // the file that was found for the required path
	Src    string `json:"src,omitempty"`
	Absent bool   `json:"absent,omitempty"`
}

// Tries returns the project paths that Node tries for a required path, in order.
// Source: https://nodejs.org/api/modules.html#all-together
func Tries(p string) []string {
	return []string{p, p + ".js", p + ".json", p + ".cjs", p + ".mjs", p + "/index.js", p + "/index.json"}
}

// A Ran is how a child ended. Err is a reason of the parent's own: it could not be started.
type Ran struct {
	Out      []byte
	Stderr   []byte
	Code     int // -1: killed
	TimedOut bool
	TooLarge bool
	Err      error
}

// An Input is a process file and the ways into the world that reading it needs.
type Input struct {
	Path  string // relative to the root
	Src   []byte
	Type  string         // "type" of the nearest package.json: what Node takes a .js file for; empty when it says nothing
	Files map[string]Dep // by required path
	Hash  func(clear string) string
	Child func(request []byte) Ran // runs Child in a process of its own
}

// Evaluate reads a process file. It never fails: what is wrong stands in the File.
func Evaluate(in Input) File {
	f := File{Kind: KindOf(in.Path), Status: OK}
	var raw []any
	text := f.Kind == JSON || f.Kind == YAML
	switch {
	case f.Kind == "":
		f.Status, f.Reason = Invalid, "PM2 does not read a file of this name as a configuration"
	case !text && len(in.Src) > MaxScript:
		f.Status, f.Reason = Invalid, "larger than 8 MiB"
	case text && len(in.Src) > MaxText:
		f.Status, f.Reason = Invalid, "larger than 1 MiB"
	case f.Kind == YAML:
		raw = f.readYAML(in.Src)
	case path.Base(in.Path) == "package.json":
		raw = f.readPackage(in.Src)
	default:
		var plain bool
		if f.Kind == JSON {
			raw, plain = plainJSON(in.Src)
		}
		if !plain {
			raw = f.readScript(in)
		}
	}
	if f.Status == OK && f.Need == "" {
		f.normalise(in, raw)
	}
	return f
}

func (f *File) fail(s Status, line int, reason string) []any {
	f.Status, f.Line, f.Reason = s, line, reason
	return nil
}
