package netlify

import (
	"path"
	"slices"
	"strings"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/lazyregexp"
)

// Runtimes.
const (
	JavaScript = "js"
	Go         = "go"
	Zip        = "zip" // a ready archive, deployed as it is
)

// A Found is one candidate for a function, as Netlify's discovery sees it.
type Found struct {
	Name    string
	Main    string // path of the main file
	Dir     string // its own folder, "" for a function that is one file
	Runtime string
}

// extensions in the order in which they win among files of one name.
var extensions = []string{".js", ".zip", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts"}

// mains are the endings of a folder's main file, in the order in which they win:
// the folder's name before index, for each.
var mains = []string{".js", ".ts", ".mjs", ".cjs", ".tsx", ".mts", ".cts"}

// entryPoint is the name that Netlify keeps for itself.
const entryPoint = "___netlify-entry-point"

// Discover lists the candidates of a functions folder: its direct children
// only. Several may have one name; the first of a name is the one that is built.
// binary returns the runtime of a file that may be a ready program, see Binary;
// nil: none is one. Sorted by name, then by precedence.
func Discover(t *snapshot.Tree, dir string, binary func(file string) string) []Found {
	var out []Found
	prefix := dir + "/"
	if dir == "." {
		prefix = ""
	}
	last := ""
	for _, e := range t.Under(dir) {
		rest := strings.TrimPrefix(e.Path, prefix)
		child, _, nested := strings.Cut(rest, "/")
		if e.Kind == snapshot.PathMissing || child == "node_modules" {
			continue
		}
		switch {
		case !nested && e.Kind != snapshot.PathDir && e.Kind != snapshot.PathModule:
			if f, ok := fileFunction(e); ok {
				out = append(out, f)
			} else if e.Kind == snapshot.PathExec && binary != nil {
				if runtime := binary(e.Path); runtime != "" {
					out = append(out, Found{Name: baseName(e.Path), Main: e.Path, Runtime: runtime})
				}
			}
		case nested && child != last:
			last = child
			if f, ok := dirFunction(t, prefix+child); ok {
				out = append(out, f)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Found) int {
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		if c := a.rank() - b.rank(); c != 0 {
			return c
		}
		return strings.Compare(a.Main, b.Main)
	})
	return out
}

// rank orders candidates of one name: Go and Rust beat JavaScript, a folder beats
// a file, then the extension.
func (f Found) rank() int {
	switch {
	case f.Runtime == Go || f.Runtime == Rust:
		return -2
	case f.Dir != "":
		return -1
	}
	return slices.Index(extensions, path.Ext(f.Main))
}

func fileFunction(e snapshot.TreePath) (Found, bool) {
	ext := path.Ext(e.Path)
	if !slices.Contains(extensions, ext) || e.Kind == snapshot.PathOther {
		return Found{}, false
	}
	name := baseName(e.Path)
	if name == "" {
		return Found{}, false // ".js" has no extension in Node's eyes
	}
	f := Found{Name: name, Main: e.Path, Runtime: JavaScript}
	if ext == ".zip" {
		f.Runtime = Zip
	}
	return f, true
}

// baseName is the name without its last extension, as Node's path module cuts it:
// a name that only begins with a dot has none.
func baseName(p string) string {
	base := path.Base(p)
	if i := strings.LastIndexByte(base, '.'); i > 0 {
		return base[:i]
	}
	if slices.Contains(extensions, base) {
		return ""
	}
	return base
}

func dirFunction(t *snapshot.Tree, dir string) (Found, bool) {
	name, base := baseName(dir), path.Base(dir)
	if name == "" {
		name = base
	}
	for _, goMain := range []string{base + ".go", "main.go"} {
		if t.HasFile(dir + "/" + goMain) {
			return Found{Name: name, Main: dir + "/" + goMain, Dir: dir, Runtime: Go}, true
		}
	}
	for _, ext := range mains {
		for _, main := range []string{base + ext, "index" + ext} {
			if e, ok := t.At(dir + "/" + main); ok && e.Kind != snapshot.PathMissing && e.Kind != snapshot.PathDir && e.Kind != snapshot.PathOther {
				return Found{Name: name, Main: dir + "/" + main, Dir: dir, Runtime: JavaScript}, true
			}
		}
	}
	return Found{}, false
}

// EventNamed reports whether Netlify starts the function on an event of the
// site, by its name.
// Source: docs.netlify.com/build/functions/trigger-on-events.
func EventNamed(name string) bool {
	switch name {
	case "deploy-building", "deploy-succeeded", "deploy-failed", "deploy-deleted", "deploy-locked", "deploy-unlocked",
		"submission-created", "split-test-activated", "split-test-deactivated", "split-test-modified",
		"identity-validate", "identity-signup", "identity-login":
		return true
	}
	return false
}

// Background reports whether the name alone makes it a background function.
func Background(name string) bool { return strings.HasSuffix(name, "-background") }

// Reserved reports whether the name is one that Netlify keeps for itself.
func Reserved(name string) bool { return name == entryPoint }

var validName = lazyregexp.New(`^[A-Za-z0-9_-]+$`)

// ValidName reports whether a deploy with a function of that name is accepted.
// Source: hasValidName of netlify-cli.
func ValidName(name string) bool { return validName().MatchString(name) }
