package pm2

import (
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"healthaudit/snapshot"
	"healthaudit/snapshot/host"
)

// A logCursor is what the next run has to know of the logs of one home.
type logCursor struct {
	Mark logMark  `json:"m"`
	Line timeline `json:"t"`

	At    int64              `json:"at,omitempty"` // milliseconds since 1970 of Sizes
	Sizes map[string]logSize `json:"z,omitempty"`  // by keyed hash of the path
	Rate  *float64           `json:"r,omitempty"`  // growth of all logs in bytes per hour, as last measured
}

type logSize struct {
	Inode uint64 `json:"i"`
	Size  int64  `json:"s"` // bytes
}

// A logFile is one log of a home.
type logFile struct {
	logSize
	rotated bool // something keeps it small
	known   bool // whether it is rotated is known
}

// logs are the logs of one home.
type logs struct {
	read  bool      // next is to be kept
	told  string    // what pm2.log is: "ok", "absent" or "unread"
	next  logCursor // for the next run
	files map[string]logFile
	own   string // path of pm2.log
	space host.Space
	free  bool // space is known
}

// ownLogs are the logs that a process may have, and the metrics of their sizes: what
// it says, its errors, and both in one (log_file; lib/God/ForkMode.js).
var ownLogs = []struct{ setting, metric string }{{"pm_out_log_path", "log.out"}, {"pm_err_log_path", "log.err"}, {"pm_log_path", "log.all"}}

// minSpan is the least time over which growth is measured: apps write in bursts.
const minSpan = time.Hour

// maxLogs bounds the log files of one home.
const maxLogs = 2000

func (b *builder) readLogs(h *home, dir host.Files, before logCursor) logs {
	l := logs{read: true, next: before, files: map[string]logFile{}, own: filepath.Join(h.path, "pm2.log")}
	b.readTimeline(&l, dir)
	rules, known := rotations(b.s.Host)
	module := slices.ContainsFunc(h.daemon.list, func(p process) bool { return p.Module && p.RawName == "pm2-logrotate" && p.Status == "online" })
	paths := []string{l.own}
	for i := range h.daemon.list {
		p := &h.daemon.list[i]
		for _, l := range ownLogs {
			paths = append(paths, p.setting(l.setting))
		}
	}
	folders := folders{host: b.s.Host}
	defer folders.close()
	for _, p := range paths {
		if _, seen := l.files[p]; seen || !filepath.IsAbs(p) || len(l.files) == maxLogs {
			continue
		}
		st, err := folders.stat(p)
		if err != nil || !st.Mode.IsRegular() {
			continue
		}
		f := logFile{logSize: logSize{st.Inode, st.Size}, known: known || module}
		f.rotated = module || slices.ContainsFunc(rules, func(rule string) bool {
			ok, err := path.Match(rule, p)
			return ok && err == nil
		})
		l.files[p] = f
	}
	if folder, err := b.s.Host.Outside(filepath.Join(h.path, "logs")); err == nil {
		l.space, err = folder.Space()
		l.free = err == nil
		folder.Close()
	}
	if h.daemon.state == alive { // else nobody knows which logs there are
		l.measure(h.daemon.now, b.s.Secret)
	}
	return l
}

// folders looks at files by their absolute paths. It keeps the last folder open:
// the logs of one home mostly lie in one.
type folders struct {
	host host.Host
	path string
	open host.Files
}

func (f *folders) stat(p string) (host.Stat, error) {
	if dir := filepath.Dir(p); f.open == nil || dir != f.path {
		f.close()
		open, err := f.host.Outside(dir)
		if err != nil {
			return host.Stat{}, err
		}
		f.path, f.open = dir, open
	}
	return f.open.Stat(filepath.Base(p))
}

func (f *folders) close() {
	if f.open != nil {
		f.open.Close()
		f.open = nil
	}
}

func (b *builder) readTimeline(l *logs, dir host.Files) {
	text, st, mark, err := readMark(dir, l.next.Mark, b.s.Secret)
	l.told = "ok"
	switch {
	case host.IsNotExist(err):
		l.told = "absent"
	case err != nil:
		l.told = "unread"
		l.read = false
	}
	t := &l.next.Line
	t.Events, t.Stopping = slices.Clone(t.Events), slices.Clone(t.Stopping)
	t.hash, t.clock = b.s.Secret, clockOf(text, time.Unix(0, st.MTime))
	t.read(text)
	t.forget(b.s.Host.Now())
	l.next.Mark = mark
}

// measure compares the sizes of the logs with those of some time ago. A log that
// was rotated or cut meanwhile has grown by what it holds.
func (l *logs) measure(now time.Time, hash func(string) string) {
	span := now.Sub(time.UnixMilli(l.next.At))
	if l.next.At != 0 && span < minSpan && span >= 0 {
		return
	}
	before := l.next.Sizes
	l.next.Sizes = map[string]logSize{}
	grown := int64(0)
	for p, f := range l.files {
		key := hash(p)
		l.next.Sizes[key] = f.logSize
		was, ok := before[key]
		switch {
		case ok && was.Inode == f.Inode && was.Size <= f.Size:
			grown += f.Size - was.Size
		case ok:
			grown += f.Size
		}
	}
	if l.next.At != 0 && span > 0 {
		rate := float64(grown) / span.Hours()
		l.next.Rate = &rate
	}
	l.next.At = now.UnixMilli()
}

func (l *logs) daemonFacts(it *snapshot.Item) {
	if l.told != "" && l.told != "ok" {
		it.Add(snapshot.Volatile, "log", snapshot.Text(l.told))
	}
	for _, f := range []struct{ name, kind string }{{"log.errors", errorEvent}, {"log.deaths", deathEvent}} {
		if n, last, _ := l.next.Line.sum(f.kind, ""); n > 0 {
			it.Add(snapshot.Volatile, f.name, snapshot.Number(n))
			it.Add(snapshot.Volatile, f.name+".last", snapshot.Number(last))
		}
	}
	if r := l.next.Rate; r != nil {
		it.Metrics = append(it.Metrics, snapshot.Metric{Name: "logs.growth", Value: *r})
	}
	if l.free {
		it.Metrics = append(it.Metrics, snapshot.Metric{Name: "disk.free", Value: float64(l.space.Free)})
	}
	if f, ok := l.files[l.own]; ok {
		it.Metrics = append(it.Metrics, snapshot.Metric{Name: "log.own", Value: float64(f.Size), Incarnation: strconv.FormatUint(f.Inode, 10)})
		if f.known && !f.rotated {
			it.Add(snapshot.Volatile, "log.unrotated", snapshot.Bool(true))
		}
	}
}

func (l *logs) appFacts(b *builder, it *snapshot.Item, a *app) {
	key := b.s.Secret(a.procs[0].RawName)
	if n, last, signals := l.next.Line.sum(killedEvent, key); n > 0 {
		it.Add(snapshot.Volatile, "killed", snapshot.Number(n))
		it.Add(snapshot.Volatile, "killed.last", snapshot.Number(last))
		it.Add(snapshot.Volatile, "killed.by", snapshot.SetOf(signals...))
	}
	n, last, _ := l.next.Line.sum(memoryEvent, key)
	for i := range a.procs { // those of which the log never said the name
		more, when, _ := l.next.Line.sum(memoryEvent, strconv.Itoa(a.procs[i].PMID))
		n, last = n+more, max(last, when)
	}
	if n > 0 {
		it.Add(snapshot.Volatile, "memory-restarts", snapshot.Number(n))
		it.Add(snapshot.Volatile, "memory-restarts.last", snapshot.Number(last))
	}
	for i := range a.procs {
		for _, own := range ownLogs {
			if f, ok := l.files[a.procs[i].setting(own.setting)]; ok && f.known && !f.rotated {
				it.Add(snapshot.Volatile, "log.unrotated", snapshot.Bool(true))
				return
			}
		}
	}
}

// logSizes adds the sizes of the logs of one process, in bytes. A log has a new
// incarnation when it is another file.
func (b *builder) logSizes(it *snapshot.Item, p *process, h *home) {
	for _, l := range ownLogs {
		if f, ok := h.around.logs.files[p.setting(l.setting)]; ok {
			it.Metrics = append(it.Metrics, snapshot.Metric{Name: l.metric, Value: float64(f.Size), Incarnation: strconv.FormatUint(f.Inode, 10)})
		}
	}
}

// rotations returns the patterns of the files that logrotate(8) rotates; known
// is false when its configuration cannot be read.
func rotations(hst host.Host) (patterns []string, known bool) {
	dir, err := hst.Outside("/etc/logrotate.d")
	if err != nil {
		return nil, host.IsNotExist(err)
	}
	defer dir.Close()
	list, err := dir.List(".", maxUnits)
	if err != nil {
		return nil, false
	}
	known = true
	for _, e := range list {
		text, err := dir.Read(e.Name(), maxUnitText)
		if err != nil {
			known = known && host.IsNotExist(err)
			continue
		}
		patterns = append(patterns, rotated(string(text))...)
	}
	return patterns, known
}

// apart makes words of the braces of a logrotate file, and takes its quotes away.
var apart = strings.NewReplacer("{", " { ", "}", " } ", `"`, " ", "'", " ")

// rotated returns the patterns that stand before the blocks of a logrotate file.
func rotated(text string) (patterns []string) {
	depth := 0
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") {
			continue
		}
		for _, word := range strings.Fields(apart.Replace(line)) {
			switch {
			case word == "{":
				depth++
			case word == "}":
				depth = max(depth-1, 0)
			case depth == 0 && strings.HasPrefix(word, "/"):
				patterns = append(patterns, path.Clean(word))
			}
		}
	}
	return patterns
}
