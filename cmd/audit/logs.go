package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"healthaudit/report"
	"healthaudit/rules"
)

// The bounds of reading: a line, in bytes, and the lines of a table where nothing
// was asked for.
const (
	maxLogLine = 64 << 10
	logLimit   = 100
)

// logParts are what a line of the log may be about, besides systems of plugins.
var logParts = []string{"run", "stage", "recovery", "archive", "pm2", "workflows", "functions", "scripts", "audit"}

type logsCmd struct {
	listing
	System string `help:"Only about this system; or about run, stage, recovery or archive." placeholder:"NAME"`
	Since  string `help:"Only since then: 2h, 3d, or a time such as 2026-12-24T08:00:00Z." placeholder:"TIME"`
	Level  string `help:"Only this and worse: info, warn or error." enum:"info,warn,error" default:"info"`
	Limit  int    `help:"Show the newest N lines only; 0 is all (default: 100 in a table, all as JSON)." default:"-1" placeholder:"N"`
}

// Help is shown below the usage.
func (logsCmd) Help() string {
	return `Every run that is kept writes when it began, how long each stage took, how each system could be read, what failed, what recovery did, and how it ended; names, numbers and the words of the report, no values of the project. The log lies beside the store, only its owner can read it, and it is bounded: log: {level: info, max_size: 10MB, keep: 5} in audit.yaml. What was changed, and by whom, is in the journal: audit journal.`
}

// Run shows what runs wrote of themselves, the oldest first.
func (c *logsCmd) Run(a *App) error {
	if c.Limit < -1 {
		return &usageError{fmt.Sprintf("--limit is %d, want a number from 0 on", c.Limit), ""}
	}
	since, err := c.since(a)
	if err != nil {
		return err
	}
	s, err := a.settings()
	if err != nil {
		return err
	}
	limit := c.Limit
	if limit == -1 && c.Format == "table" {
		limit = logLimit
	}
	rows, odd, err := c.read(s.log.logFiles(), since, limit)
	if err != nil {
		return err
	}
	if c.System != "" && len(rows) == 0 && !slices.Contains(logParts, c.System) {
		hint := "one of " + strings.Join(logParts, ", ")
		if near := nearestName(c.System, logParts); near != "" {
			hint = "did you mean " + near + "?"
		}
		return &usageError{fmt.Sprintf("--system: the log has nothing about %q", c.System), hint}
	}
	if odd > 0 {
		fmt.Fprintf(a.Stderr, "audit: %s of the log cannot be read and %s left out\n", counted(odd, "line"), map[bool]string{true: "is", false: "are"}[odd == 1])
	}
	return show(a, c.listing, exitOK, rows, report.Logs)
}

// since reads --since.
func (c *logsCmd) since(a *App) (time.Time, error) {
	if c.Since == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, c.Since); err == nil {
		return t, nil
	}
	d, err := rules.ParseSpan(c.Since)
	if err != nil {
		return time.Time{}, &usageError{"--since: " + err.Error() + ", nor a time such as 2026-12-24T08:00:00Z", ""}
	}
	return a.Now().Add(-d), nil
}

// read returns the newest lines that are wanted, at most limit where that is not
// 0 or less, and how many lines were none.
func (c *logsCmd) read(paths []string, since time.Time, limit int) (rows []report.LogRow, odd int, err error) {
	rows = []report.LogRow{}
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			return nil, 0, err
		}
		err = lines(f, func(line []byte) {
			row, ok := logRow(line)
			if !ok {
				odd++
				return
			}
			if row.At.Before(since) || c.System != "" && row.Component != c.System || levelOf(row.Level) < levelOf(c.Level) {
				return
			}
			if rows = append(rows, row); limit > 0 && len(rows) >= 2*limit {
				rows = append(rows[:0], rows[len(rows)-limit:]...)
			}
		})
		f.Close()
		if err != nil {
			return nil, 0, err
		}
	}
	if limit > 0 && len(rows) > limit {
		rows = rows[len(rows)-limit:]
	}
	return rows, odd, nil
}

// lines calls fn with each line; of one that is too long, with its beginning.
func lines(r io.Reader, fn func([]byte)) error {
	b := bufio.NewReaderSize(r, maxLogLine)
	for {
		line, err := b.ReadSlice('\n')
		if len(line) > 0 {
			fn(line)
		}
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = b.ReadSlice('\n')
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// logRow reads one line.
func logRow(line []byte) (row report.LogRow, ok bool) {
	var all map[string]any
	if json.Unmarshal(line, &all) != nil {
		return row, false
	}
	text := func(key string) string {
		s, _ := all[key].(string)
		delete(all, key)
		return s
	}
	at, err := time.Parse(time.RFC3339Nano, text("time"))
	row = report.LogRow{At: at, Level: strings.ToLower(text("level")), Component: text("component"), Message: text("msg")}
	if pid, ok := all["pid"].(float64); ok {
		row.PID = int(pid)
	}
	delete(all, "pid")
	row.Data = all
	return row, err == nil && levelOf(row.Level) >= 0 && row.Component != ""
}
