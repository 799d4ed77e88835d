package script

import (
	"path"
	"strings"

	"healthaudit/snapshot"
)

// The folder in which a crontab line or a shell script runs is not written in
// it. Its references are therefore analysed from a folder that cannot exist,
// and placed when the tree is known: in that one of the likely folders in which
// most of them are found. Absolute paths are the project's own when some of
// them end like files of the project (a crontab says /srv/shop/scripts/x.sh).
const (
	anywhere = "\x02"         // the unknown working folder
	absolute = "\x1f"         // stands for the first '/' of an absolute path
	inside   = anywhere + "/" // in the unknown working folder
	atRoot   = "\x03"         // the root, for what a script finds from its own folder
)

// A spot is a folder of the project a placeholder may stand for.
type spot struct {
	prefix string // what the reference begins with: "\x02/" or "\x1fsrv/shop/"
	dir    string // "." for the root
}

// place gives the references of one file their folders; those that lead
// elsewhere are dropped.
func place(t *snapshot.Tree, list []snapshot.Ref, dirs []string) []snapshot.Ref {
	if len(list) == 0 {
		return nil
	}
	relative, _ := best(t, list, relativeSpots(dirs))
	rooted, known := best(t, list, absoluteSpots(t, list, dirs))
	return placed(list, relative, rooted, known)
}

func placed(list []snapshot.Ref, relative, rooted spot, known bool) []snapshot.Ref {
	var out []snapshot.Ref
	for _, r := range list {
		p := location(r)
		switch {
		case p == "": // a name, which has no folder
			out = append(out, r)
		case strings.HasPrefix(p, atRoot+"/"):
			out = append(out, moved(r, strings.TrimPrefix(p, atRoot+"/")))
		case strings.Contains(p, absolute):
			if q, ok := rooted.apply(p); ok && known {
				out = append(out, moved(r, q))
			}
		default:
			if q, ok := relative.apply(p); ok {
				out = append(out, moved(r, q))
			}
		}
	}
	return out
}

// location is the path of a reference whose folder matters.
func location(r snapshot.Ref) string {
	switch r.Kind {
	case snapshot.RefFile, snapshot.RefAction:
		return r.Path
	case snapshot.RefNPM:
		return path.Join(r.Dir, "package.json")
	}
	return ""
}

func moved(r snapshot.Ref, to string) snapshot.Ref {
	if r.Kind == snapshot.RefNPM {
		r.Dir = path.Dir(to)
	} else {
		r.Path = to
	}
	return r
}

// apply puts the spot's folder in front of what stands behind its prefix.
func (s spot) apply(p string) (string, bool) {
	if i := strings.LastIndex(p, absolute); i >= 0 {
		p = p[i:]
	}
	rest, ok := strings.CutPrefix(p, s.prefix)
	if !ok || s.prefix == "" || rest == "" {
		return "", false
	}
	return path.Join(s.dir, rest), true
}

// best returns the spot at which most references are found, of equals the first.
func best(t *snapshot.Tree, list []snapshot.Ref, spots []spot) (top spot, found bool) {
	most := 0
	for i, s := range spots {
		n := 0
		for _, r := range list {
			if p := location(r); p != "" {
				if q, ok := s.apply(p); ok && t.HasFile(q) {
					n++
				}
			}
		}
		if n > most || i == 0 {
			top, most = s, n
		}
	}
	return top, most > 0
}

func relativeSpots(dirs []string) (out []spot) {
	for _, d := range dirs {
		out = append(out, spot{inside, d})
	}
	return out
}

// maxSpots bounds how many places an absolute path is tried at.
const maxSpots = 64

// absoluteSpots are the ways to cut an absolute path so that its end is a file
// of the project; longer ends are better evidence and come first.
func absoluteSpots(t *snapshot.Tree, list []snapshot.Ref, dirs []string) (out []spot) {
	for _, r := range list {
		p := location(r)
		i := strings.LastIndex(p, absolute)
		if i < 0 {
			continue
		}
		parts := strings.Split(p[i:], "/")
		for n := 1; n < len(parts) && len(out) < maxSpots; n++ {
			for _, d := range dirs {
				s := spot{strings.Join(parts[:n], "/") + "/", d}
				if q, ok := s.apply(p); ok && t.HasFile(q) {
					out = append(out, s)
				}
			}
		}
	}
	return out
}

// candidates are the folders in which a file of that path is likely to run:
// the root, the folders above it, and its own.
func candidates(p string) []string {
	dirs := []string{"."}
	for d := path.Dir(p); d != "." && len(dirs) < 6; d = path.Dir(d) {
		dirs = append(dirs, d)
	}
	return dirs
}

// systemDirs hold no project: an absolute path there is a program, a device or
// a scratch file.
var systemDirs = []string{"/usr/", "/bin/", "/sbin/", "/lib", "/dev/", "/etc/", "/proc/", "/sys/", "/tmp/", "/run/", "/var/log/", "/var/run/", "/var/tmp/"}

var programs = map[string]bool{"node": true, "npm": true, "npx": true, "pnpm": true, "yarn": true, "bun": true, "deno": true, "tsx": true,
	"python": true, "python3": true, "bash": true, "sh": true, "zsh": true, "env": true, "pm2": true, "flock": true, "timeout": true, "nice": true}

// markAbsolute puts the placeholder in front of words that are absolute paths,
// at the same length so that columns stay.
func markAbsolute(command string) string {
	b := []byte(command)
	for i := range b {
		if b[i] != '/' || i > 0 && strings.IndexByte(" \t\"'=;&|(", b[i-1]) < 0 {
			continue
		}
		word := command[i:]
		if end := strings.IndexAny(word, " \t\"';&|()<>"); end >= 0 {
			word = word[:end]
		}
		if len(word) < 2 || programs[path.Base(word)] || hasAnyPrefix(word, systemDirs) {
			continue
		}
		b[i] = absolute[0]
	}
	return string(b)
}

func hasAnyPrefix(s string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}
