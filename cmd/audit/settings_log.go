package main

import (
	"log/slog"
	"path/filepath"
	"slices"
)

// The defaults of log.max_size, in bytes, and log.keep.
const (
	defaultLogSize = 10_000_000
	defaultLogKeep = 5
)

// logging is what the configuration says of the log of runs.
type logging struct {
	dir   string // absolute
	level slog.Level
	size  int64 // a file that is larger is set aside
	keep  int   // how many of those stay
}

// checkLog validates it. Without log.dir the log lies beside the store; in the
// audited tree it may lie nowhere else.
func (s *settings) checkLog(a *App, bad func(string, ...any) error) (err error) {
	f, l := &s.file.Log, &s.log
	beside, err := filepath.Abs(filepath.Dir(a.Store))
	if err != nil {
		return err
	}
	l.dir = s.path(a, f.Dir, filepath.Join(beside, "logs"))
	inside := func(folder string) bool {
		rel, err := filepath.Rel(folder, l.dir)
		return err == nil && filepath.IsLocal(rel)
	}
	if f.Dir != "" && inside(s.root) && !inside(beside) {
		return bad("log.dir: %q lies in the audited folder, where audit writes below %s only", f.Dir, filepath.Base(beside))
	}
	switch f.Level {
	case "", "info":
	case "warn":
		l.level = slog.LevelWarn
	case "error":
		l.level = slog.LevelError
	default:
		return bad("log.level is %q, want info, warn or error", f.Level)
	}
	if l.size, err = parseSize(f.MaxSize, defaultLogSize); err != nil {
		return bad("log.max_size: %v", err)
	}
	l.keep = defaultLogKeep
	if f.Keep != nil {
		l.keep = *f.Keep
	}
	if l.keep < 0 || l.keep > 100 {
		return bad("log.keep is %d, want a number from 0 to 100", l.keep)
	}
	return nil
}

// levels are the words of log.level, the most talkative first.
var levels = []string{"info", "warn", "error"}

func levelOf(word string) int { return slices.Index(levels, word) }
