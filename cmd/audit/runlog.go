package main

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"healthaudit/audit/pipeline"
	"healthaudit/report"
	"healthaudit/snapshot"
)

// logName is the file that runs write to; the older ones are logName.1 and so on.
const logName = "audit.log"

// maxLogged bounds what one run writes of one kind.
const maxLogged = 200

// A runLog is what one run writes of itself: what it did, how long that took, and
// what went wrong; names, numbers and the words of the report, no values of the
// project. A log that cannot be written keeps no run from ending well.
type runLog struct {
	logging
	now   func() time.Time
	begin func() // what is written first, once the run has begun
	begun sync.Once

	mu      sync.Mutex // systems end side by side
	file    *os.File
	handler slog.Handler
	err     error // the first failure to write; nothing is tried after it
}

// note writes one line. Outside of a run that holds the lock nothing is set aside.
func (l *runLog) note(level slog.Level, component, what string, attrs ...slog.Attr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil || level < l.level {
		return
	}
	if l.file == nil && !l.open(false) {
		return
	}
	r := slog.NewRecord(l.now().UTC(), level, what, 0)
	r.AddAttrs(slog.String("component", component), slog.Int("pid", os.Getpid()))
	r.AddAttrs(attrs...)
	l.err = l.handler.Handle(context.Background(), r)
}

// open opens the log, and rotates before where that is safe.
func (l *runLog) open(rotate bool) bool {
	if _, l.err = os.Stat(filepath.Dir(l.dir)); l.err != nil {
		return false
	}
	if l.err = os.MkdirAll(l.dir, 0o700); l.err != nil {
		return false
	}
	path := filepath.Join(l.dir, logName)
	st, err := os.Lstat(path)
	if err == nil && !st.Mode().IsRegular() {
		l.err = fmt.Errorf("%s is no regular file", path)
		return false
	}
	if err == nil && rotate && st.Size() >= l.size {
		if l.err = l.rotate(path); l.err != nil {
			return false
		}
	}
	l.file, l.err = os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if l.err != nil {
		return false
	}
	l.handler = slog.NewJSONHandler(l.file, &slog.HandlerOptions{Level: l.level})
	return true
}

// rotate sets the file aside, and removes the oldest.
func (l *runLog) rotate(path string) error {
	numbered := func(n int) string { return fmt.Sprintf("%s.%d", path, n) }
	if l.keep == 0 {
		return os.Remove(path)
	}
	for n := l.keep - 1; n >= 1; n-- {
		if err := os.Rename(numbered(n), numbered(n+1)); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return os.Rename(path, numbered(1))
}

// Begin is nothing that is written down.
func (l *runLog) Begin(string, func() int) {}

// End writes that a stage of the run has ended. The first one does so while the
// run holds the lock. What systems took is written at the end of the run.
func (l *runLog) End(step string, took time.Duration) {
	if _, err := snapshot.ParseSystem(step); err == nil {
		return
	}
	l.begun.Do(func() {
		if l.open(true) {
			l.begin()
		}
	})
	l.note(slog.LevelInfo, "stage", step, slog.Int64("ms", took.Milliseconds()))
}

// ended writes what came of the run.
func (l *runLog) ended(doc *report.Document) {
	for _, s := range doc.Systems {
		l.note(slog.LevelInfo, s.System, s.Status, slog.Int("items", s.Items), slog.Int64("ms", s.DurationMS))
	}
	for i, e := range doc.Errors {
		if i == maxLogged {
			l.note(slog.LevelWarn, "run", fmt.Sprintf("%d more errors: see the report", len(doc.Errors)-i))
			break
		}
		l.note(slog.LevelWarn, e.System, e.Message, slog.String("source", e.Source))
	}
	for i, s := range doc.Recovery.Steps {
		if s.Status == "skipped" || i >= maxLogged {
			continue
		}
		level := slog.LevelInfo
		if s.Status == "failed" || s.Status == "rolled_back" {
			level = slog.LevelWarn
		}
		l.note(level, "recovery", s.Status+": "+s.What, slog.String("item", s.Item), slog.String("rule", s.Rule), slog.String("action", s.Action), slog.String("id", s.ID))
	}
	if x := doc.Archive; x != nil {
		l.note(slog.LevelInfo, "archive", "made", slog.String("file", filepath.Base(x.Path)), slog.Int64("bytes", x.Bytes))
	}
	attrs := []slog.Attr{slog.Uint64("seq", doc.Run.Seq), slog.Int("exit", doc.Gate.Exit), slog.Int("regressions", len(doc.Regressions)), slog.Int64("ms", doc.Run.DurationMS)}
	if doc.Score.Value != nil {
		attrs = append(attrs, slog.Float64("score", *doc.Score.Value))
	}
	level, what := slog.LevelInfo, "ended: the gate passed"
	if doc.Gate.Exit != exitOK {
		level, what = slog.LevelWarn, strings.Join(append([]string{"ended"}, doc.Gate.Why...), ": ")
	}
	l.note(level, "run", what, attrs...)
	if l.err != nil {
		doc.Errors = append(doc.Errors, report.Error{System: "audit", Source: "log", Message: "the log of runs could not be written: " + l.err.Error(), Hint: "make room, or name another folder: log: {dir: …} in audit.yaml; the run itself is kept"})
	}
}

// broke writes why a run did not end.
func (l *runLog) broke(err error) {
	code, _ := codeOf(err)
	l.note(slog.LevelError, "run", report.Clean(err.Error()), slog.Int("exit", code))
}

func (l *runLog) close() {
	if l.file != nil {
		l.file.Close()
	}
}

// logged runs, and writes down how that went.
func (c *runCmd) logged(a *App, s *settings, r *pipeline.Runner) (*report.Document, error) {
	log := a.newLog(s, r.Actor.Via)
	defer log.close()
	shown, stop := a.shown()
	defer stop()
	if r.Watch = shown; !c.Ephemeral {
		r.Watch = append(shown, log)
	}
	doc, err := r.Run(a.ctx)
	switch {
	case c.Ephemeral:
	case doc == nil:
		log.broke(err)
	default:
		if log.ended(doc); err != nil {
			log.broke(err)
		}
	}
	return doc, err
}

// newLog makes the log of one run. Nothing is opened yet.
func (a *App) newLog(s *settings, via string) *runLog {
	l := &runLog{logging: s.log, now: a.Now}
	l.begin = func() {
		l.note(slog.LevelInfo, "run", "began", slog.String("version", version), slog.String("via", via))
	}
	return l
}

// logFiles are the files of a log that are there, the oldest first.
func (l *logging) logFiles() (paths []string) {
	for n := l.keep; n >= 0; n-- {
		path := filepath.Join(l.dir, logName)
		if n > 0 {
			path += fmt.Sprintf(".%d", n)
		}
		if st, err := os.Lstat(path); err == nil && st.Mode()&fs.ModeType == 0 {
			paths = append(paths, path)
		}
	}
	return paths
}
