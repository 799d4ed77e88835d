package action

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"healthaudit/rules"
	"healthaudit/snapshot"
	"healthaudit/snapshot/host"
)

// PM2RotateLogs puts logs that grew too large aside, compressed.
var PM2RotateLogs = &rules.Action{
	ID:      "pm2.rotate_logs",
	Title:   "put logs that grew too large aside, compressed",
	Systems: []snapshot.System{snapshot.PM2},
	Class:   rules.Idempotent,
	Doc: "Of pm2/daemon every log of its apps from min_mb on, of an app its own. Each is renamed (NAME.log becomes NAME.log.20261129T211500Z), PM2 is told to open its logs anew (reloadLogs: no process is restarted), " +
		"and when the new file is there and the old one is not written any more, that is compressed beside it (.gz). Of each log the newest keep stay, older ones of this kind are removed. " +
		"The largest come first, and of all at most max_mb are rotated in one run, within ten minutes: what is not compressed by then is with the next rotation of that log. If PM2 does not open a log anew, its old name comes back. PM2's own pm2.log is left alone: the daemon never opens it anew. It is refused where pm2-logrotate or a file of logrotate rotates them, " +
		"for what git tracks or is no file of the user that runs audit, where the disk has no room for a quarter of them together, and where the daemon cannot be asked. There is no way back: what was in the log is in its .gz.",
	Params: []rules.Param{
		{Name: "min_mb", Doc: "size in MB from which a log is rotated", Max: 1_000_000, Default: "100"},
		{Name: "max_mb", Doc: "how many MB are rotated in one run at most", Max: 1_000_000, Default: "4000"},
		{Name: "keep", Doc: "how many of each log are kept", Max: 1000, Default: "5"},
	},
	Prepare: func(p *rules.Preparation) (rules.Effect, error) {
		home, procs, err := loggers(p)
		if err != nil {
			return rules.Effect{}, err
		}
		if slices.ContainsFunc(procs, func(q proc) bool { return q.Module && q.Name == "pm2-logrotate" && q.Status == "online" }) {
			return rules.Effect{}, &rules.Refusal{Why: "pm2-logrotate rotates them", Hint: "pm2 set pm2-logrotate:max_size sets from which size"}
		}
		if r := rotatedElsewhere(p); r != nil {
			return rules.Effect{}, r
		}
		minimum, _ := strconv.ParseInt(p.Params["min_mb"], 10, 64)
		maximum, _ := strconv.ParseInt(p.Params["max_mb"], 10, 64)
		logs, err := oversized(p.Sources.Host(), procs, minimum*1e6)
		if err != nil {
			return rules.Effect{}, err
		}
		files, bytes, err := affordable(logs, maximum*1e6)
		if err != nil {
			return rules.Effect{}, err
		}
		for _, file := range slices.Sorted(maps.Keys(files)) {
			if rel, err := filepath.Rel(p.Sources.Host().Root(), file); err == nil {
				if e, ok := p.Snapshot.Tree.At(filepath.ToSlash(rel)); ok && e.State == snapshot.Tracked {
					return rules.Effect{}, &rules.Refusal{Why: "git tracks " + filepath.ToSlash(rel) + ", a log", Hint: "take it out of git: git rm --cached, and .gitignore"}
				}
			}
		}
		if len(files) == 0 {
			return rules.Effect{}, &rules.Refusal{Why: "no log of an app has " + p.Params["min_mb"] + " MB", Hint: "pm2.log, which PM2 keeps open, is not rotated: pm2 flush empties it"}
		}
		what := fmt.Sprintf("rotate %s (%d MB)", filepath.Base(slices.Sorted(maps.Keys(files))[0]), bytes/1e6)
		if len(files) > 1 {
			what = fmt.Sprintf("rotate %d logs (%d MB)", len(files), bytes/1e6)
		}
		if n := len(logs) - len(files); n > 0 {
			what += fmt.Sprintf("; %d more wait for a later run", n)
		}
		text, err := json.Marshal(files)
		if err != nil {
			return rules.Effect{}, err
		}
		return rules.Effect{Target: "pm2 " + home + " logs", What: what, Deed: &rules.Deed{Of: "rotate",
			Args: map[string]string{"home": home, "files": string(text), "keep": p.Params["keep"]}}}, nil
	},
	Do: func(ctx context.Context, h *rules.Hand, d rules.Deed) (rules.Deed, error) {
		r, err := newRotation(h, d)
		if err != nil {
			return d, err
		}
		ctx, cancel := context.WithTimeout(ctx, longest)
		defer cancel()
		return d, r.do(ctx)
	},
	Ask: answers,
	Settled: func(_ context.Context, h *rules.Hand, d rules.Deed) error {
		r, err := newRotation(h, d)
		if err != nil {
			return err
		}
		return r.settled()
	},
}

// loggers returns the processes whose logs an item means, and their home.
func loggers(p *rules.Preparation) (home string, procs []proc, err error) {
	if p.Item.Kind == "daemon" {
		if home, err = homeOf(p.Item); err != nil {
			return "", nil, err
		}
		procs, err = ask(p, home)
		return home, procs, err
	}
	a, err := appOf(p.Item)
	if err != nil {
		return "", nil, err
	}
	all, err := ask(p, a.home)
	if err != nil {
		return "", nil, err
	}
	for _, q := range all { // that the module runs says something of all
		if q.Module {
			procs = append(procs, q)
		}
	}
	return a.home, append(procs, a.of(all)...), nil
}

// rotatedElsewhere refuses where a file of logrotate, or nobody knows what,
// rotates the logs: of those that nothing rotates the collector says so.
func rotatedElsewhere(p *rules.Preparation) *rules.Refusal {
	_, home, _ := strings.Cut(p.Item.Source, ":")
	for _, it := range p.Snapshot.Of(snapshot.PM2) {
		_, of, _ := strings.Cut(it.Source, ":")
		if of != home || p.Item.Kind == "app" && it.Key != p.Item.Key && !strings.HasPrefix(string(it.Key), string(p.Item.Key)+"#") {
			continue
		}
		if v, ok := it.Fact("log.unrotated"); ok && v.IsTrue() && it.Kind != "daemon" {
			return nil
		}
	}
	return &rules.Refusal{Why: "a file of logrotate rotates them, or it is not known whether one does", Hint: "see /etc/logrotate.d"}
}

// A large is a log that is to be rotated.
type large struct {
	file  string
	inode uint64 // which tells it from the one that takes its place
	bytes int64  // with what was put aside of it before and is not compressed
	disk  *host.Space
}

// oversized returns the logs from a size in bytes on, the largest first.
func oversized(h host.Host, procs []proc, minimum int64) (logs []large, err error) {
	seen := map[string]bool{}
	for _, p := range procs {
		for _, file := range []string{p.Out, p.Err, p.All} {
			if seen[file] || p.Module || !filepath.IsAbs(file) {
				continue
			}
			seen[file] = true
			dir, err := h.Outside(filepath.Dir(file))
			if err != nil {
				continue
			}
			st, serr := dir.Stat(filepath.Base(file))
			if serr != nil || !st.Mode.IsRegular() || st.Size < minimum || st.Size == 0 {
				dir.Close()
				continue
			}
			l := large{file: file, inode: st.Inode, bytes: st.Size + leftBytes(dir, filepath.Base(file))}
			if space, err := dir.Space(); err == nil {
				l.disk = &space
			}
			dir.Close()
			if !ours(st) {
				return nil, &rules.Refusal{Why: file + " belongs to another user than the one that runs audit", Hint: "run audit as that user"}
			}
			logs = append(logs, l)
		}
	}
	slices.SortFunc(logs, func(a, b large) int {
		return cmp.Or(cmp.Compare(b.bytes, a.bytes), strings.Compare(a.file, b.file))
	})
	return logs, nil
}

// leftBytes is the size of what was put aside of a log and is not compressed.
func leftBytes(dir host.Files, base string) (n int64) {
	raw, _, err := asideOf(dir, base)
	if err != nil {
		return 0
	}
	for _, name := range raw {
		if st, err := dir.Stat(name); err == nil {
			n += st.Size
		}
	}
	return n
}

// affordable chooses the logs that one run rotates, with their size: of at most so
// many bytes together, and for a quarter of which together there is room on their
// disk. Disks are told apart by their size: two of one size count as one. A
// *rules.Refusal is that there are some and none can be.
func affordable(logs []large, maximum int64) (files map[string]uint64, bytes int64, err error) {
	files = map[string]uint64{}
	on := map[int64]int64{} // by disk
	for _, l := range logs {
		if bytes+l.bytes > maximum {
			err = cmp.Or(err, error(&rules.Refusal{Why: fmt.Sprintf("%s has %d MB, and at most %d MB are rotated in one run", l.file, l.bytes/1e6, maximum/1e6),
				Hint: fmt.Sprintf("max_mb: %d of the rule lets it be rotated", l.bytes/1e6+1)}))
			continue
		}
		if l.disk != nil {
			if (on[l.disk.Size]+l.bytes)/4 > l.disk.Free {
				err = cmp.Or(err, error(&rules.Refusal{Why: "the disk has no room to compress " + l.file, Hint: "make room first, or pm2 flush, which empties all logs"}))
				continue
			}
			on[l.disk.Size] += l.bytes
		}
		files[l.file] = l.inode
		bytes += l.bytes
	}
	if len(files) > 0 {
		err = nil
	}
	return files, bytes, err
}

// settled says what of a rotation is not done.
func (r *rotation) settled() error {
	for _, file := range slices.Sorted(maps.Keys(r.files)) {
		inode, err := r.inode(file)
		switch {
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return err
		case err == nil && inode == r.files[file]:
			return fmt.Errorf("%s is still the old one", file)
		}
		raw, _, err := r.aside(file)
		if err != nil {
			return err
		}
		if len(raw) > 0 {
			return fmt.Errorf("%s is not compressed", raw[0])
		}
	}
	return nil
}
