package pm2

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/ecosystem"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/host"
)

// maxRounds bounds the files that a process file may require.
const maxRounds = 20

// Time for one process file with all it requires, and for all of them together.
const (
	fileTime  = 12 * time.Second
	filesTime = 20 * time.Second
)

// A declaration is one process file and what it declares.
type declaration struct {
	path string
	kind string // "type" of the package.json whose folder it lies in: see ecosystem.Input
	file snapshot.File
	deps []snapshot.File // captured files that it requires
	what ecosystem.File
	err  error // the file could not be read at all
}

// state is the one-word state of the file's item.
func (d *declaration) state() string {
	if d.err != nil {
		return "unreadable"
	}
	return string(d.what.Status)
}

// known reports whether what the file declares is known.
func (d *declaration) known() bool { return d.err == nil && d.what.Status == ecosystem.OK }

// discover returns the process files of the project: those with a usual name,
// every package.json, and those of the configuration, sorted. The data of tests is
// left out.
func discover(s *collect.Session) []string {
	var out []string
	for _, e := range s.Tree.All() {
		if e.State == snapshot.Ignored || e.Kind == snapshot.PathDir || e.Kind == snapshot.PathModule || collect.Vendored(e.Path) || collect.Fixture(e.Path) {
			continue
		}
		if ecosystem.IsCandidate(e.Path) || path.Base(e.Path) == "package.json" {
			if e.Kind != snapshot.PathMissing {
				out = append(out, e.Path)
			}
		}
	}
	for _, p := range s.Config.PM2Files {
		out = append(out, path.Clean(p))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// declarations reads every process file of the project.
func declarations(ctx context.Context, s *collect.Session) []declaration {
	ctx, cancel := context.WithTimeout(ctx, filesTime)
	defer cancel()
	var out []declaration
	for _, p := range discover(s) {
		d := declare(ctx, s, p)
		if !slices.Contains(s.Config.PM2Files, p) && d.isOther() {
			continue
		}
		out = append(out, d)
	}
	return out
}

// isOther reports whether the file is none of PM2's: a package.json without
// apps, or one that only happens to have the name.
func (d *declaration) isOther() bool {
	base := path.Base(d.path)
	switch {
	case base == "package.json":
		return d.err != nil || d.what.Status != ecosystem.OK && d.what.Status != ecosystem.Invalid
	case strings.HasPrefix(base, "ecosystem") || !d.known():
		return false
	}
	return !slices.ContainsFunc(d.what.Apps, func(a ecosystem.App) bool { return a.Script != "" })
}

// errLinks is the error of a link to another link, or to itself.
var errLinks = errors.New("a link to a link")

func declare(ctx context.Context, s *collect.Session, p string) declaration {
	role := snapshot.Own
	if path.Base(p) == "package.json" {
		role = snapshot.Shared
	}
	kind, torn := packageType(s, p)
	d := declaration{path: p, kind: kind}
	d.file, d.err = s.Files.File(p, role)
	text := d.file
	if d.err == nil && d.file.Link != "" { // PM2 reads what the link points at
		text, d.err = s.Files.File(path.Join(path.Dir(p), d.file.Link), snapshot.Shared)
		if d.err == nil && text.Link != "" {
			d.err = errLinks
		}
		d.deps = append(d.deps, text)
	}
	if d.err != nil {
		d.deps = nil
		return d
	}
	if torn != "" {
		d.what = ecosystem.File{Kind: ecosystem.KindOf(p), Status: ecosystem.Invalid, Reason: "Node refuses every .js file beside or below " + torn + ", which is not JSON"}
		return d
	}
	d.evaluate(ctx, s, text)
	withNode(ctx, s, &d, text)
	return d
}

// evaluate evaluates the text of a process file, and what that requires.
func (d *declaration) evaluate(ctx context.Context, s *collect.Session, text snapshot.File) {
	ctx, cancel := context.WithTimeout(ctx, fileTime)
	defer cancel()
	given := map[string]ecosystem.Dep{}
	inputs := []string{d.path, d.kind, text.SHA256}
	for range maxRounds {
		d.what = evaluate(ctx, s, d, text, given, inputs)
		if d.what.Need == "" {
			return
		}
		dep, f, err := require(s, d.what.Need)
		if err != nil {
			d.what.Status, d.what.Reason = ecosystem.NeedsNode, fmt.Sprintf("requires %s, which cannot be read: %s", d.what.Need, reason(err))
			return
		}
		given[d.what.Need] = dep
		inputs = append(inputs, d.what.Need, f.Path, f.SHA256)
		if !dep.Absent {
			d.deps = append(d.deps, f)
		}
	}
	d.what.Status, d.what.Reason = ecosystem.NeedsNode, fmt.Sprintf("requires more than %d files", maxRounds)
}

// packageType returns "type" of the nearest package.json above a file, "" when
// there is none or it says nothing. Torn is its path where it is not JSON: Node
// then loads no .js file there (ERR_INVALID_PACKAGE_CONFIG; verified with 20.20).
func packageType(s *collect.Session, p string) (kind, torn string) {
	if ecosystem.KindOf(p) != ecosystem.Script {
		return "", ""
	}
	for dir := path.Dir(p); ; dir = path.Dir(dir) {
		if f, err := s.Files.File(path.Join(dir, "package.json"), snapshot.Shared); err == nil && f.Link == "" {
			var m struct{ Type string }
			b, err := s.Files.Bytes(f)
			if err == nil && !json.Valid(b) && strings.HasSuffix(p, ".js") {
				return "", f.Path
			}
			if err == nil {
				_ = json.Unmarshal(b, &m) // npm's problem, not PM2's
			}
			return m.Type, ""
		}
		if dir == "." {
			return "", ""
		}
	}
}

// evaluate reads a file with what it was given so far. The result is cached by
// the digests of all of it; one that a slow machine may have caused is not
// believed from the cache.
func evaluate(ctx context.Context, s *collect.Session, d *declaration, text snapshot.File, given map[string]ecosystem.Dep, inputs []string) ecosystem.File {
	fresh := false
	compute := func() ecosystem.File {
		fresh = true
		src, err := s.Files.Bytes(text)
		if err != nil {
			return ecosystem.File{Status: ecosystem.Invalid, Reason: reason(err), Transient: true}
		}
		return ecosystem.Evaluate(ecosystem.Input{
			Path: d.path, Src: src, Type: d.kind, Files: withSources(s, given), Hash: placeless(s),
			Child: func(request []byte) ecosystem.Ran { return child(ctx, s.Host, request) },
		})
	}
	f := snapshot.Derive(s.Derived, "pm2.ecosystem", ecosystem.Version, inputs, compute)
	if f.Transient && !fresh {
		f = compute()
	}
	return f
}

// placeless returns the keyed hash for whatever may name the project's folder:
// what runs names it where it lies, what is declared does not. It is not safe
// for concurrent use.
func placeless(s *collect.Session) func(clear string) string {
	root := s.Host.Root()
	real := realPath(s.Host, root)
	known := map[string]string{} // the apps of one user have most of their variables in common
	return func(clear string) string {
		h, ok := known[clear]
		if !ok {
			h = s.Secret(ecosystem.Placeless(ecosystem.Placeless(clear, root), real))
			known[clear] = h
		}
		return h
	}
}

// withSources reads the bytes of required files, which are kept no longer than
// an evaluation needs them.
func withSources(s *collect.Session, given map[string]ecosystem.Dep) map[string]ecosystem.Dep {
	out := make(map[string]ecosystem.Dep, len(given))
	for name, dep := range given {
		if !dep.Absent {
			if f, err := s.Files.File(dep.Path, snapshot.Shared); err == nil {
				if b, err := s.Files.Bytes(f); err == nil {
					dep.Src = string(b)
				}
			}
		}
		out[name] = dep
	}
	return out
}

// require finds the project file that Node would load for a required path.
func require(s *collect.Session, name string) (ecosystem.Dep, snapshot.File, error) {
	for _, p := range ecosystem.Tries(name) {
		f, err := s.Files.File(p, snapshot.Shared)
		switch {
		case err == nil && f.Link == "":
			return ecosystem.Dep{Path: p}, f, nil
		case err == nil:
			return ecosystem.Dep{}, f, errors.New("it is a symbolic link")
		case errors.Is(err, fs.ErrNotExist) || errors.Is(err, host.ErrNotRegular):
			continue // a folder: its index comes later
		}
		return ecosystem.Dep{}, f, err
	}
	return ecosystem.Dep{Absent: true}, snapshot.File{}, nil
}

// child runs this very program as the evaluator of one file.
func child(ctx context.Context, h host.Host, request []byte) ecosystem.Ran {
	res, err := h.Run(ctx, host.Command{
		Program: host.Self, Args: []string{"internal", "evaluate-ecosystem"}, In: request,
		Timeout: ecosystem.ChildTimeout, MaxOut: ecosystem.ChildOutput, MaxError: 4096,
	})
	r := ecosystem.Ran{Out: res.Out, Stderr: res.Err, Code: res.Code, TimedOut: res.TimedOut, TooLarge: errors.Is(err, host.ErrTooLarge)}
	if err != nil && !r.TimedOut && !r.TooLarge {
		r.Err = err
	}
	return r
}

// reason says why a file could not be read, without the machine's paths.
func reason(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "it is not there"
	case errors.Is(err, fs.ErrPermission):
		return "permission denied"
	case errors.Is(err, host.ErrNotRegular):
		return "it is not a regular file"
	case errors.Is(err, host.ErrTooLarge):
		return "it is too large"
	case errors.Is(err, errLinks):
		return "it is a link to a link"
	case errors.Is(err, collect.ErrSensitive):
		return "it may hold secrets"
	case strings.Contains(err.Error(), "leaves the folder"):
		return "it points outside the project"
	}
	return "it cannot be read"
}
