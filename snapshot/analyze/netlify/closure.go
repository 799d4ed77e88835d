package netlify

import (
	"path"
	"slices"
	"strings"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/js"
)

// A Source is what every file of a function says, main file and helpers.
type Source struct {
	Problems []js.Problem `json:"problems,omitempty"` // why it cannot be loaded
	Unjudged string       `json:"unjudged,omitempty"` // why it was not analysed although it may be fine
	Imports  []js.Import  `json:"imports,omitempty"`  // of files of the project: ./ and ../
	Packages []js.Import  `json:"packages,omitempty"` // of npm packages, each once, by its name
	Deeds    []Deed       `json:"deeds,omitempty"`
	Env      []string     `json:"env,omitempty"`    // names of environment variables that it reads
	Needs    []js.Need    `json:"needs,omitempty"`  // those that it cannot do without
	Digest   string       `json:"digest,omitempty"` // see js.Module.Digest
}

func source(m *js.Module) Source {
	s := Source{Problems: m.Problems, Unjudged: m.Unjudged, Digest: m.Digest, Deeds: deeds(m), Env: m.Env, Needs: m.Needs}
	have := map[string]int{}
	for _, i := range m.Imports {
		if strings.HasPrefix(i.Path, "./") || strings.HasPrefix(i.Path, "../") || i.Path == "." || i.Path == ".." {
			i.Path = clip(i.Path)
			s.Imports = append(s.Imports, i)
		} else if name, ok := Package(i.Path); ok {
			i.Path = clip(name)
			if n, twice := have[i.Path]; !twice {
				have[i.Path] = len(s.Packages)
				s.Packages = append(s.Packages, i)
			} else if s.Packages[n].Optional && !i.Optional {
				s.Packages[n] = i // it is needed after all
			}
		}
	}
	return s
}

// IsCode reports whether a file of that name is JavaScript or TypeScript.
func IsCode(p string) bool {
	switch path.Ext(p) {
	case ".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx":
		return true
	}
	return false
}

// A Link is one local import of a file of a function.
type Link struct {
	From      string // the importing file
	Import    js.Import
	To        string // the file it is; empty when it is missing or cannot be told
	Missing   bool   // there is no such file in the project
	Unread    bool   // it cannot be told whether it is missing: see snapshot.Tree.Hidden
	OtherCase string // of a missing one: the file that differs by letter case only
}

// maxClosure bounds the files of one function.
const maxClosure = 2000

// Closure follows the local imports of a function from its main file and
// returns all its files, sorted, and every import. source gives what a file
// says; it is asked once for each file.
func Closure(t *snapshot.Tree, main string, source func(file string) Source) (files []string, links []Link) {
	seen := map[string]bool{main: true}
	for queue := []string{main}; len(queue) > 0; queue = queue[1:] {
		file := queue[0]
		files = append(files, file)
		for _, i := range source(file).Imports {
			l := Link{From: file, Import: i}
			l.To, l.Missing, l.OtherCase = Resolve(t, path.Dir(file), i.Path)
			if l.To == "" && !l.Missing {
				_, l.Unread = t.Hidden(path.Join(path.Dir(file), i.Path))
			}
			links = append(links, l)
			if l.To != "" && !seen[l.To] && len(seen) < maxClosure {
				seen[l.To] = true
				queue = append(queue, l.To)
			}
		}
	}
	slices.Sort(files)
	return files, links
}

// tried are the endings that Node or Netlify's bundlers add to a specifier.
var tried = []string{"", ".js", ".ts", ".mjs", ".cjs", ".tsx", ".jsx", ".mts", ".cts", ".json", ".node", ".d.ts"}

// compiled maps endings as TypeScript writes them to those of the source file.
var compiled = map[string][]string{".js": {".ts", ".tsx"}, ".jsx": {".tsx"}, ".mjs": {".mts"}, ".cjs": {".cts"}}

// Resolve finds the file a relative import means. It says missing only when
// the tree would know: not for what is ignored by git or outside the project.
func Resolve(t *snapshot.Tree, dir, spec string) (file string, missing bool, otherCase string) {
	spec, _, _ = strings.Cut(spec, "?")
	target := path.Join(dir, spec)
	if target == ".." || strings.HasPrefix(target, "../") {
		return "", false, ""
	}
	var candidates []string
	if !strings.HasSuffix(spec, "/") && target != "." {
		for _, ext := range tried {
			candidates = append(candidates, target+ext)
		}
		ext := path.Ext(target)
		for _, c := range compiled[ext] {
			candidates = append(candidates, strings.TrimSuffix(target, ext)+c)
		}
	}
	for _, ext := range tried[1:] {
		candidates = append(candidates, path.Join(target, "index"+ext))
	}
	for _, c := range candidates {
		if t.HasFile(c) {
			if t.InIgnored(c) {
				return "", false, ""
			}
			return c, false, ""
		}
	}
	if t.HasFile(path.Join(target, "package.json")) {
		return "", false, "" // its main decides
	}
	if built(t, target) || t.Product(target) {
		return "", false, ""
	}
	for _, c := range candidates {
		if t.InIgnored(c) {
			return "", false, ""
		}
		if o, ok := t.OtherCase(c); ok && otherCase == "" {
			otherCase = o
		}
	}
	return "", true, otherCase
}

// built reports whether a path lies in a folder that a build makes and that is
// not there now.
func built(t *snapshot.Tree, p string) bool {
	for d := path.Dir(p); d != "."; d = path.Dir(d) {
		switch path.Base(d) {
		case "dist", "build", "out", ".next", ".nuxt", ".output", ".svelte-kit", ".astro", ".netlify", "generated", "__generated__", ".generated":
			return !t.HasDir(d)
		case "node_modules":
			return true
		}
	}
	return false
}
