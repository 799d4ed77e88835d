package pm2

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"healthaudit/snapshot"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/host"
)

// maxDump bounds the dump in bytes: a hundred apps are half a megabyte.
const maxDump = 16 << 20

// A home is one PM2 home and what was found there.
type home struct {
	path   string
	daemon daemon
	dump   []dumped
	torn   string // why the dump cannot be used by PM2; "absent" when there is none
	unread error  // why the dump could not be read by us
	around around // what surrounds it: see surround

	unseen    string // why it is not looked at; empty when it is
	hint      string // for unseen: what to do
	forgotten bool   // unseen, because this run's environment does not lead to it
}

// readHomes reads the homes that are there, and lists those that should be but
// cannot be looked at: item keys depend on how many there are to be.
func readHomes(ctx context.Context, s *collect.Session) (homes []home) {
	paths, configured := homePaths(s)
	seen := moments(s)
	for _, p := range paths {
		dir, err := s.Host.Outside(p)
		if err == nil {
			dir.Close()
		}
		why := ""
		switch {
		case errors.Is(err, syscall.ENOTDIR):
			why = "it is not a folder"
		case errors.Is(err, fs.ErrNotExist) && configured:
			why = "there is no such folder"
		case errors.Is(err, fs.ErrNotExist):
			continue
		}
		if why != "" {
			homes = append(homes, home{path: p, unseen: why, hint: "Correct --pm2-home, systems.pm2.homes in audit.yaml, or PM2_HOME: a PM2 home is a folder.",
				daemon: daemon{why: "cannot be asked: " + p + ": " + why}})
			continue
		}
		h := home{path: p, daemon: inspect(ctx, s.Host, p, placeless(s), seen[p])}
		h.readDump(s.Host)
		homes = append(homes, h)
	}
	if !configured || s.Config.PM2HomesNow {
		homes = append(homes, forgotten(s, paths)...)
	}
	return homes
}

// forgotten returns the homes of the last run that are still there, but not
// among today's: cron may set no HOME, a shell another PM2_HOME, a person may ask
// for one home only. Only the configuration says for good which homes count.
func forgotten(s *collect.Session, today []string) (homes []home) {
	why, hint := "PM2_HOME or HOME differ", "Set PM2_HOME or HOME as in the last run, or name the homes that count under systems.pm2.homes in audit.yaml."
	if s.Config.PM2HomesNow {
		why, hint = "--pm2-home names others", "Name it with --pm2-home too, or the homes that count under systems.pm2.homes in audit.yaml."
	}
	seen := map[string]bool{}
	for _, p := range today {
		seen[realPath(s.Host, p)] = true
	}
	for _, src := range s.Previous.System(snapshot.PM2).Sources {
		p, ok := strings.CutPrefix(src.Name, daemonSource)
		if !ok || seen[realPath(s.Host, p)] {
			continue
		}
		dir, err := s.Host.Outside(p)
		if err == nil {
			dir.Close()
		}
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		homes = append(homes, home{path: p, forgotten: true,
			unseen: "the PM2 home " + p + " of the last run is not looked at today: " + why, hint: hint,
			daemon: daemon{why: "cannot be asked: " + p + " is not looked at today"}})
	}
	return homes
}

// homePaths returns where PM2 homes are looked for, sorted, and whether the
// configuration says that they are there.
func homePaths(s *collect.Session) (paths []string, configured bool) {
	paths = slices.Clone(s.Config.PM2Homes)
	configured = len(paths) > 0
	if !configured {
		if p := s.Host.Env("PM2_HOME"); filepath.IsAbs(p) {
			paths = []string{p}
		} else if s.Config.HomeFolder != "" {
			paths = []string{filepath.Join(s.Config.HomeFolder, ".pm2")}
		}
	}
	for i := range paths {
		paths[i] = filepath.Clean(paths[i])
	}
	slices.Sort(paths)
	return slices.Compact(paths), configured
}

func (h *home) readDump(hst host.Host) {
	dir, err := hst.Outside(h.path)
	if err != nil {
		h.unread = err
		return
	}
	defer dir.Close()
	b, err := dir.Read("dump.pm2", maxDump)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		h.torn = "absent"
	case err != nil:
		h.unread = err
	default:
		var ok bool
		if h.dump, ok = decodeDump(string(b)); !ok {
			h.torn = "torn"
		}
	}
}

// used reports whether there is anything of PM2 in a home but its folder, or was
// at the last run.
func (b *builder) used(h home) bool {
	return b.s.Previous.Item(b.daemonKey(&h)) != nil || h.unseen != "" || h.daemon.state != notRunning || len(h.dump) > 0 || h.unread != nil || h.torn == "torn"
}

// listed reports whether what runs in the home is known; of a daemon that is
// gone it is: nothing.
func (h *home) listed() bool { return h.daemon.state == alive || h.dead() }

// dead reports whether no daemon runs for the home.
func (h *home) dead() bool {
	switch h.daemon.state {
	case crashed, staleSocket, notRunning:
		return true
	}
	return false
}

// failed reports whether a source is one of this home that could not be read.
func (h *home) failed(source string) bool {
	return slices.ContainsFunc(h.sources(), func(s snapshot.Source) bool { return s.Name == source && !s.OK })
}

// The sources of a home, each with its path behind.
const (
	daemonSource  = "daemon:"
	runtimeSource = "runtime:"
	dumpSource    = "dump:"
)

func (h *home) sources() []snapshot.Source {
	if h.unseen != "" {
		var out []snapshot.Source
		for _, kind := range []string{daemonSource, runtimeSource, dumpSource} {
			out = append(out, snapshot.Source{Name: kind + h.path, Message: h.unseen, Hint: h.hint})
		}
		return out
	}
	dump := snapshot.Source{Name: dumpSource + h.path, OK: h.unread == nil}
	if h.unread != nil {
		dump.Message, dump.Hint = "dump.pm2: "+reason(h.unread), "Let the user who runs audit read "+h.path+"."
		if errors.Is(h.unread, host.ErrNotRegular) {
			dump.Hint = "Take away what lies at " + filepath.Join(h.path, "dump.pm2") + "; `pm2 save` then writes PM2's list there."
		}
	}
	return []snapshot.Source{{Name: daemonSource + h.path, OK: true}, h.runtime(), dump}
}

// runtime is the source of what runs.
func (h *home) runtime() snapshot.Source {
	run := snapshot.Source{Name: runtimeSource + h.path, OK: h.listed()}
	if !run.OK {
		run.Message = "the PM2 daemon " + h.daemon.why
	}
	switch h.daemon.state {
	case hung:
		run.Hint = fmt.Sprintf("See the end of pm2.log in %s. If it stays so, %s (it restarts every app).", h.path, h.daemon.replace())
	case orphaned:
		run.Hint = "Run no pm2 command: it would start a second daemon. See the finding on the daemon."
	case twoDaemons:
		run.Hint = "Run no pm2 command until one of them is ended. See the finding on the daemon."
	case forbidden:
		run.Hint = "Run audit as the user who owns " + h.path + ", or leave this home out of systems.pm2.homes."
	case unknown:
		run.Hint = h.daemon.hint
	}
	if run.OK && h.daemon.odd > 0 {
		run.OK, run.Message = false, fmt.Sprintf("%d entries of PM2's list cannot be read", h.daemon.odd)
		run.Hint = "Report the PM2 version: audit does not know this form of the list."
	}
	return run
}
