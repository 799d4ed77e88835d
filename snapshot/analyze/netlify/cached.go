package netlify

import (
	"path"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/js"
)

// Versions of the cached analyses, raised when their results change.
const (
	functionVersion = 5
	sourceVersion   = 4
	configVersion   = 2
	manifestVersion = 3
)

// deployContexts are those whose settings are judged: only the production deploy
// runs schedules, and its branch is as a rule called main.
var deployContexts = []string{"production", "main"}

// unread is the complaint about bytes that could not be had. It is not to be
// believed from a cache.
const unread = "its bytes could not be read"

// A Reader returns the bytes of a captured file, or nil.
type Reader func(snapshot.File) []byte

func (r Reader) read(f snapshot.File) ([]byte, bool) {
	b := r(f)
	return b, b != nil || f.Size == 0
}

// CachedFunction returns Analyze of a captured file, from the cache when it can.
func CachedFunction(d *snapshot.Derived, file snapshot.File, bytes Reader) Function {
	compute := func() Function {
		if b, ok := bytes.read(file); ok {
			return *Analyze(file.Path, b)
		}
		return Function{Source: Source{Unjudged: unread}, State: HandlerUnknown}
	}
	f := snapshot.Derive(d, "netlify.function", functionVersion, []string{file.SHA256, path.Ext(file.Path)}, compute)
	if f.Unjudged == unread {
		return compute()
	}
	return f
}

// CachedSource returns what a captured helper file says, from the cache when it can.
func CachedSource(d *snapshot.Derived, file snapshot.File, bytes Reader) Source {
	if !IsCode(file.Path) {
		return Source{Digest: file.SHA256}
	}
	compute := func() Source {
		if b, ok := bytes.read(file); ok {
			return source(js.Parse(file.Path, b))
		}
		return Source{Unjudged: unread}
	}
	s := snapshot.Derive(d, "netlify.source", sourceVersion, []string{file.SHA256, path.Ext(file.Path)}, compute)
	if s.Unjudged == unread {
		return compute()
	}
	return s
}

// CachedConfig returns what a captured netlify.toml says for the production
// deploy, from the cache when it can.
func CachedConfig(d *snapshot.Derived, file snapshot.File, bytes Reader) Config {
	compute := func() Config {
		if b, ok := bytes.read(file); ok {
			return *Parse(b, deployContexts...)
		}
		return Config{Broken: true, Problems: []Problem{{Message: unread}}}
	}
	c := snapshot.Derive(d, "netlify.config", configVersion, []string{file.SHA256}, compute)
	if c.Broken && c.Problems[0].Message == unread {
		return compute()
	}
	return c
}

// CachedManifest returns what a captured manifest says, from the cache when it
// can; false when its bytes could not be had.
func CachedManifest(d *snapshot.Derived, file snapshot.File, bytes Reader) (Manifest, bool) {
	read := true
	compute := func() Manifest {
		b, ok := bytes.read(file)
		if read = ok; !ok {
			return Manifest{Defects: []Defect{{Message: unread}}}
		}
		return ParseManifest(b)
	}
	m := snapshot.Derive(d, "netlify.manifest", manifestVersion, []string{file.SHA256}, compute)
	if len(m.Defects) == 1 && m.Defects[0].Message == unread {
		m = compute()
		return m, read
	}
	return m, true
}
