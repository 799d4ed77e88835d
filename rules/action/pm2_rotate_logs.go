package action

import (
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
		"If PM2 does not open a log anew, its old name comes back. PM2's own pm2.log is left alone: the daemon never opens it anew. It is refused where pm2-logrotate or a file of logrotate rotates them, " +
		"for what git tracks or is no file of the user that runs audit, where the disk has no room for a quarter of the log, and where the daemon cannot be asked. There is no way back: what was in the log is in its .gz.",
	Params: []rules.Param{
		{Name: "min_mb", Doc: "size in MB from which a log is rotated", Max: 1_000_000, Default: "100"},
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
		files, bytes, err := oversized(p.Sources.Host(), procs, minimum*1e6)
		if err != nil {
			return rules.Effect{}, err
		}
		for file := range files {
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
		return d, r.do(ctx)
	},
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

// oversized returns the logs from a size on, with the number that tells each
// from the one that takes its place; and their size.
func oversized(h host.Host, procs []proc, minimum int64) (files map[string]uint64, bytes int64, err error) {
	files = map[string]uint64{}
	for _, p := range procs {
		for _, file := range []string{p.Out, p.Err} {
			if _, seen := files[file]; seen || p.Module || !filepath.IsAbs(file) {
				continue
			}
			dir, err := h.Outside(filepath.Dir(file))
			if err != nil {
				continue
			}
			st, serr := dir.Stat(filepath.Base(file))
			space, room := dir.Space()
			dir.Close()
			switch {
			case serr != nil || !st.Mode.IsRegular() || st.Size < minimum || st.Size == 0:
				continue
			case !ours(st):
				return nil, 0, &rules.Refusal{Why: file + " belongs to another user than the one that runs audit", Hint: "run audit as that user"}
			case room == nil && space.Free < st.Size/4:
				return nil, 0, &rules.Refusal{Why: "the disk has no room to compress " + file, Hint: "make room first, or pm2 flush, which empties all logs"}
			}
			files[file] = st.Inode
			bytes += st.Size
		}
	}
	return files, bytes, nil
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
