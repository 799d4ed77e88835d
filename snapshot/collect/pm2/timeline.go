package pm2

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"healthaudit/snapshot/host"
)

// Bounds of what is read of pm2.log in one run, in bytes. A restart is four
// lines, some 300 bytes.
const (
	firstTail = 1 << 20 // on the first run, for which only the last day counts
	maxTail   = 4 << 20
	markSize  = 64 // bytes before a mark that tell one log from another
)

// window is how long an event of pm2.log counts.
const window = 24 * time.Hour

// maxEvents bounds what a home keeps of its log: an hour in which 80 apps are
// killed is 80 events.
const maxEvents = 2000

// maxID bounds the number of a process, in bytes: what is longer is none.
const maxID = 30

// A logMark is how far pm2.log was read.
type logMark struct {
	Inode  uint64 `json:"i,omitempty"`
	Offset int64  `json:"o,omitempty"` // bytes
	Before string `json:"b,omitempty"` // keyed hash of the bytes before Offset
}

// The kinds of events.
const (
	killedEvent = "k" // an app ended by a signal that PM2 did not send
	memoryEvent = "m" // PM2 restarted an app at its memory limit
	errorEvent  = "e" // the daemon caught an error of its own and replaced itself
	deathEvent  = "d" // a daemon was started although the one before it never ended in order
)

// An event is what happened, counted by the hour. It holds nothing of the line.
type event struct {
	Hour   int64  `json:"h"` // hours since 1970
	Kind   string `json:"k"`
	App    string `json:"a,omitempty"` // keyed hash of its name
	Signal string `json:"s,omitempty"`
	Count  int    `json:"n"`
	Last   int64  `json:"l"` // seconds since 1970
}

// A timeline is what pm2.log told so far.
type timeline struct {
	Up       bool     `json:"u,omitempty"` // a daemon was started, and none ended since
	Stopping []string `json:"s,omitempty"` // numbers of processes that PM2 is ending
	Events   []event  `json:"e,omitempty"` // of the last day

	hash  func(string) string
	clock func(line string) (t time.Time, rest string)
	names map[string]string // process number → name, as far as the log said
	limit []event           // memory restarts of processes whose names come later: App is their number
}

// readMark reads pm2.log from a mark. It returns whole lines only, when the last
// of them was written, and the new mark. A log that was rotated or cut is read
// from its beginning; of one that grew by too much, the end.
func readMark(dir host.Files, m logMark, hash func(string) string) (text string, st host.Stat, next logMark, err error) {
	const name = "pm2.log"
	if st, err = dir.Stat(name); err != nil {
		return "", st, m, err
	}
	if !st.Mode.IsRegular() {
		return "", st, m, host.ErrNotRegular
	}
	from, most := m.Offset, int64(maxTail)
	switch {
	case m == logMark{}:
		from, most = 0, firstTail
	case st.Inode != m.Inode || st.Size < m.Offset:
		from = 0
	default:
		before, err := dir.Tail(name, m.Offset-markSize, min(markSize, m.Offset))
		if err != nil {
			return "", st, m, err
		}
		if hash(string(before)) != m.Before {
			from = 0
		}
	}
	cut := false
	if st.Size-from > most {
		from, cut = st.Size-most, true
	}
	b, err := dir.Tail(name, from, st.Size-from)
	if err != nil {
		return "", st, m, err
	}
	text = string(b)
	text = text[:strings.LastIndexByte(text, '\n')+1]
	next = logMark{Inode: st.Inode, Offset: from + int64(len(text))}
	if cut {
		_, text, _ = strings.Cut(text, "\n")
	}
	before, err := dir.Tail(name, next.Offset-markSize, min(markSize, next.Offset))
	if err != nil {
		return "", st, m, err
	}
	next.Before = hash(string(before))
	return text, st, next, nil
}

// lineTime is how PM2 stamps its lines (constants.js PM2_LOG_DATE_FORMAT, with
// the milliseconds left out), without saying in which zone.
const lineTime = "2006-01-02T15:04:05"

// stamp splits a line into its time, without a zone, and what PM2 says.
func stamp(line string) (naive time.Time, rest string, ok bool) {
	line = strings.TrimRight(line, "\r\n")
	if len(line) < len(lineTime) {
		return naive, line, false
	}
	naive, err := time.Parse(lineTime, line[:len(lineTime)])
	if err != nil {
		return naive, line, false
	}
	_, rest, ok = strings.Cut(line[len(lineTime):], ": ")
	for _, p := range []string{"PM2 log: ", "PM2 error: "} {
		rest = strings.TrimPrefix(rest, p)
	}
	return naive, rest, ok
}

// clockOf returns what turns the lines of a log into times. The zone of the
// stamps follows from when the last line was written.
func clockOf(text string, written time.Time) func(string) (time.Time, string) {
	shift, known := time.Duration(0), false
	for end := len(text); end > 0 && !known; {
		start := strings.LastIndexByte(text[:end-1], '\n') + 1
		if naive, _, ok := stamp(text[start:end]); ok {
			shift, known = written.Sub(naive).Round(15*time.Minute), true // every zone is a multiple of that
		}
		end = start
	}
	return func(line string) (time.Time, string) {
		naive, rest, ok := stamp(line)
		if !ok {
			return time.Time{}, rest
		}
		return naive.Add(shift), rest
	}
}

// deadly are the signals that end an app without its or PM2's will. PM2 writes
// SIGINT for an exit without a signal (lib/God.js handleExit); SIGTERM and
// SIGHUP are someone's command.
var deadly = []string{"SIGKILL", "SIGABRT", "SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGTRAP", "SIGSYS"}

// read follows the lines of a log.
func (t *timeline) read(text string) {
	t.names, t.limit = map[string]string{}, nil
	for line := range strings.Lines(text) {
		at, rest := t.clock(line)
		t.line(at, rest)
	}
	for _, e := range t.limit { // whose name nobody said
		t.count(e, time.Unix(e.Last, 0))
	}
}

func (t *timeline) line(at time.Time, s string) {
	if app, ok := strings.CutPrefix(s, "App ["); ok {
		t.app(at, app)
		return
	}
	switch {
	case strings.HasPrefix(s, "Stopping app:"):
		name, id := numbered(s[len("Stopping app:"):], " id:")
		t.named(name, id)
		t.Stopping = append(slices.DeleteFunc(t.Stopping, func(x string) bool { return x == id }), id)
		t.Stopping = t.Stopping[max(len(t.Stopping)-100, 0):]
	case strings.Contains(s, " exceeds --max-memory-restart"):
		id, _, _ := strings.Cut(strings.TrimPrefix(s, "[PM2][WORKER] Process "), " ")
		if len(id) > maxID {
			return
		}
		e := event{Kind: memoryEvent, App: id, Last: at.Unix()}
		if name, ok := t.names[id]; ok {
			e.App = t.hash(name)
			t.count(e, at)
		} else if len(t.limit) < maxEvents {
			t.limit = append(t.limit, e)
		}
	case strings.Contains(s, "PM2 global error caught"):
		t.count(event{Kind: errorEvent}, at)
		t.Up = false
	case strings.HasPrefix(s, "PM2 successfully stopped"), strings.HasPrefix(s, "pm2 has been killed by signal"):
		t.Up = false
	case strings.HasPrefix(s, "--- New PM2 Daemon started"):
		if t.Up {
			t.count(event{Kind: deathEvent}, at)
		}
		t.Up, t.Stopping = true, nil
		clear(t.names)
	}
}

// app follows one line on an app: "NAME:ID] starting in -fork mode-" or
// "NAME:ID] exited with code [0] via signal [SIGKILL]".
func (t *timeline) app(at time.Time, s string) {
	if who, what, ok := cutLast(s, "] exited with code ["); ok {
		name, id := numbered(who, ":")
		t.named(name, id)
		asked := slices.Contains(t.Stopping, id)
		t.Stopping = slices.DeleteFunc(t.Stopping, func(x string) bool { return x == id })
		_, signal, _ := strings.Cut(what, "] via signal [")
		signal = strings.TrimSuffix(signal, "]")
		if !asked && slices.Contains(deadly, signal) {
			t.count(event{Kind: killedEvent, App: t.hash(name), Signal: signal}, at)
		}
		return
	}
	if who, _, ok := cutLast(s, "] starting in -"); ok {
		name, id := numbered(who, ":")
		t.named(name, id)
		t.Up = true
		t.Stopping = slices.DeleteFunc(t.Stopping, func(x string) bool { return x == id })
	}
}

// numbered splits "NAME:ID" at the last separator.
func numbered(s, sep string) (name, id string) {
	name, id, _ = cutLast(s, sep)
	return name, id[:min(len(id), maxID)]
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// named notes the name of a process, and counts the memory restarts that waited
// for it. The number of a worker that is being replaced reads "_old_3".
func (t *timeline) named(name, id string) {
	id = strings.TrimPrefix(id, "_old_")
	if len(t.names) < maxEvents {
		t.names[id] = name
	}
	t.limit = slices.DeleteFunc(t.limit, func(e event) bool {
		if e.App != id {
			return false
		}
		e.App = t.hash(name)
		t.count(e, time.Unix(e.Last, 0))
		return true
	})
}

// count adds an event to its hour. One without a time is none of the last day.
func (t *timeline) count(e event, at time.Time) {
	if at.Unix() <= 0 {
		return
	}
	e.Hour, e.Count, e.Last = at.Unix()/3600, 1, at.Unix()
	for i := range t.Events {
		o := &t.Events[i]
		if o.Hour == e.Hour && o.Kind == e.Kind && o.App == e.App && o.Signal == e.Signal {
			o.Count++
			o.Last = max(o.Last, e.Last)
			return
		}
	}
	if len(t.Events) < maxEvents {
		t.Events = append(t.Events, e)
	}
}

// forget drops what is older than the window.
func (t *timeline) forget(now time.Time) {
	oldest := now.Add(-window).Unix()
	t.Events = slices.DeleteFunc(t.Events, func(e event) bool { return e.Last < oldest })
	slices.SortFunc(t.Events, func(a, b event) int {
		return cmp.Or(cmp.Compare(a.Hour, b.Hour), strings.Compare(a.Kind, b.Kind), strings.Compare(a.App, b.App), strings.Compare(a.Signal, b.Signal))
	})
}

// sum counts the events of a kind, of one app or of the daemon (""), and tells
// when the last of them was and the signals.
func (t *timeline) sum(kind, app string) (n int, last int64, signals []string) {
	for _, e := range t.Events {
		if e.Kind == kind && e.App == app {
			n += e.Count
			last = max(last, e.Last)
			if e.Signal != "" {
				signals = append(signals, e.Signal)
			}
		}
	}
	return n, last, signals
}
