// Package crontab reads crontab files: users' crontabs, and those of the
// machine (/etc/crontab, cron.d) that name a user on each line.
//
// The grammar is that of Debian's cron (crontab(5)): environment lines are
// literal, nothing in them is expanded; '%' ends the command unless escaped; a
// last line without a newline is refused.
//
// Invariants: nothing is executed or expanded; bounded time on any bytes;
// positions lie inside the text; equal bytes give equal results. It does not
// judge what a command does.
package crontab

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"strings"

	"healthaudit/snapshot/cron"
)

// Bounds of a crontab; what is beyond is one problem.
const (
	MaxSize    = 1 << 20
	MaxEntries = 1000
)

// A File is what a crontab says.
type File struct {
	Entries  []Entry   `json:"entries,omitempty"`
	Env      []Env     `json:"env,omitempty"`
	Problems []Problem `json:"problems,omitempty"`
	Users    bool      `json:"users,omitempty"` // each line names a user before its command
}

// An Entry is one scheduled command. Line is 1-based, columns are 1-based in bytes.
type Entry struct {
	Schedule string `json:"schedule"`           // five fields joined by one blank, or a macro: "@daily"; empty when it is nothing like one
	Timezone string `json:"timezone,omitempty"` // of the CRON_TZ line above, as it stands
	Shell    string `json:"shell,omitempty"`    // of the SHELL line above; empty is /bin/sh
	User     string `json:"user,omitempty"`
	Command  string `json:"-"`                // as the shell gets it; may hold secrets: never cached
	Input    bool   `json:"input,omitempty"`  // an unescaped '%' ends the command: the rest is its input
	Bad      bool   `json:"bad,omitempty"`    // the schedule is not valid: see Problems
	Misfit   bool   `json:"misfit,omitempty"` // there is no user where one is needed, or one where none has a place: see Problems
	Line     int    `json:"line"`
	Column   int    `json:"column"`  // of the schedule
	Start    int    `json:"command"` // column of the command
}

// An Env is one environment line.
type Env struct {
	Name  string `json:"name"`
	Value string `json:"-"` // literal, without its quotes; may hold a secret: never cached
	Line  int    `json:"line"`
}

// A Problem is one thing that is wrong. Sure is true when every cron refuses it.
type Problem struct {
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
	Sure    bool   `json:"sure,omitempty"`
}

// Is reports whether a file of that path is a crontab by its name: "crontab",
// "*.crontab", "crontab.*" or a file in a folder cron.d, but not a program,
// document or template of such a name.
func Is(p string) bool {
	base := path.Base(p)
	if strings.HasPrefix(base, ".") || foreign[strings.ToLower(path.Ext(base))] || strings.HasSuffix(base, "~") {
		return false
	}
	switch {
	case path.Base(path.Dir(p)) == "cron.d":
		return !strings.EqualFold(base, "README")
	case base == "crontab", strings.HasSuffix(base, ".crontab"), strings.HasPrefix(base, "crontab."):
		return true
	}
	return false
}

var foreign = map[string]bool{
	".md": true, ".rst": true, ".html": true, ".js": true, ".mjs": true, ".cjs": true, ".jsx": true, ".ts": true, ".tsx": true, ".py": true,
	".go": true, ".rb": true, ".php": true, ".pl": true, ".java": true, ".rs": true, ".c": true, ".h": true, ".sh": true, ".bash": true,
	".json": true, ".yml": true, ".yaml": true, ".toml": true, ".xml": true, ".ini": true, ".css": true, ".svg": true, ".png": true,
	".j2": true, ".erb": true, ".tmpl": true, ".tpl": true, ".template": true, ".in": true, ".bak": true, ".orig": true, ".old": true,
	".log": true, ".lock": true, ".service": true, ".timer": true, ".d": true, ".vue": true, ".snap": true, ".spec": true, ".1": true, ".5": true,
}

// Parse reads a crontab; the path decides whether lines name a user.
func Parse(p string, src []byte) File {
	if len(src) > MaxSize {
		return File{Problems: []Problem{{1, 1, fmt.Sprintf("larger than %d bytes: not read", MaxSize), false}}}
	}
	if i := bytes.IndexByte(src, 0); i >= 0 {
		return File{Problems: []Problem{{1 + bytes.Count(src[:i], []byte("\n")), 1, "holds a NUL byte: not a crontab", false}}}
	}
	s := scanner{file: File{Users: namesUsers(p, src)}}
	number := 0
	for line := range strings.Lines(string(src)) {
		number++
		text := strings.TrimSuffix(line, "\n")
		s.crlf = s.crlf || strings.HasSuffix(text, "\r")
		s.line(strings.TrimSuffix(text, "\r"), number)
		if text == line && strings.TrimSpace(text) != "" {
			s.problem(number, len(text)+1, true, "no newline at the end of the file: cron refuses or ignores the last line")
		}
	}
	if s.crlf {
		s.problem(1, 1, true, "lines end in CRLF: the carriage return becomes part of every command")
	}
	return s.file
}

// A scanner reads line by line; environment lines hold for what follows.
type scanner struct {
	file     File
	timezone string
	shell    string
	crlf     bool
	full     bool
}

func (s *scanner) problem(line, column int, sure bool, format string, args ...any) {
	s.file.Problems = append(s.file.Problems, Problem{line, column, fmt.Sprintf(format, args...), sure})
}

func (s *scanner) line(text string, number int) {
	rest := strings.TrimLeft(text, " \t")
	column := len(text) - len(rest) + 1
	if rest == "" || rest[0] == '#' {
		return
	}
	if name, value, ok := environment(rest); ok {
		s.file.Env = append(s.file.Env, Env{name, value, number})
		switch name {
		case "CRON_TZ":
			s.timezone = value
		case "SHELL":
			s.shell = path.Base(value)
		}
		return
	}
	if len(s.file.Entries) == MaxEntries {
		if !s.full {
			s.problem(number, column, false, "more than %d entries: the rest is not read", MaxEntries)
		}
		s.full = true
		return
	}
	s.entry(rest, number, column)
}

func (s *scanner) entry(rest string, number, column int) {
	e := Entry{Timezone: s.timezone, Shell: s.shell, Line: number, Column: column}
	fields := 5
	if rest[0] == '@' {
		fields = 1
	}
	words, command := cut(rest, fields)
	if len(words) < fields || command == "" {
		s.problem(number, column, true, "not a crontab line: it needs %d schedule fields and a command", fields)
		return
	}
	e.Schedule = strings.Join(words, " ")
	user, after := cut(command, 1)
	first := column + len(rest) - len(command)
	switch named := userName(user[0]); {
	case s.file.Users && placeholder(user[0]): // of a template: who knows
		if after != "" {
			command = after
		}
	case s.file.Users && named && after == "":
		e.Misfit = true
		s.problem(number, column, true, "no command: a crontab of the machine needs a user name before it")
	case s.file.Users && !named:
		e.Misfit = true
		s.problem(number, first, true, "no user before the command: in a crontab of the machine its first word is read as one (Debian's cron then passes over the whole file)")
	case s.file.Users:
		e.User, command = user[0], after
	case accounts[user[0]] && after != "":
		e.Misfit, e.User, command = true, user[0], after
		s.problem(number, first, true, "%s is no command: the crontab of one user has no column for users, as other lines here have none", user[0])
	}
	e.Start = column + len(rest) - len(command)
	if _, err := cron.Parse(cron.Crontab, e.Schedule); err != nil {
		e.Bad = true
		if !harmless(e.Schedule) {
			e.Schedule = ""
		}
		s.problem(number, column, true, "%s", reason(err))
	}
	e.Command, e.Input = percent(command)
	s.file.Entries = append(s.file.Entries, e)
}

// reason tells a schedule's error without its text, which on a line that is no
// schedule may be anything.
func reason(err error) string {
	var syntax *cron.SyntaxError
	if errors.As(err, &syntax) && syntax.Field != "" {
		return "bad schedule: " + syntax.Field + " is not valid"
	}
	return "bad schedule"
}

// harmless reports whether a text that is no schedule at least looks like one,
// so that it may be shown: a line of another kind may hold anything.
func harmless(expr string) bool {
	letters := 0
	for _, c := range []byte(expr) {
		switch {
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			letters++
		case strings.IndexByte("0123456789*/,-? ", c) < 0:
			return false
		default:
			letters = 0
		}
		if letters > 3 {
			return false
		}
	}
	return len(expr) <= 64
}

// cut splits n leading words from a line; the rest begins with a word.
func cut(text string, n int) (words []string, rest string) {
	rest = text
	for range n {
		i := strings.IndexAny(rest, " \t")
		if i < 0 {
			return append(words, rest), ""
		}
		words = append(words, rest[:i])
		rest = strings.TrimLeft(rest[i:], " \t")
	}
	return words, rest
}

// environment reads NAME=value with optional blanks and quotes, as cron's
// load_env does. A schedule never matches: its first word holds no '='.
func environment(text string) (name, value string, ok bool) {
	name, value, ok = strings.Cut(text, "=")
	if !ok {
		return "", "", false
	}
	name = strings.Trim(name, " \t")
	if len(name) > 1 && (name[0] == '"' || name[0] == '\'') && name[len(name)-1] == name[0] {
		name = name[1 : len(name)-1]
	}
	for i, c := range []byte(name) {
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return "", "", false
		}
	}
	value = strings.Trim(value, " \t")
	if len(value) > 1 && (value[0] == '"' || value[0] == '\'') && value[len(value)-1] == value[0] {
		value = value[1 : len(value)-1]
	}
	return name, value, name != ""
}

// percent returns the command up to the first unescaped '%'. An escaped one
// becomes '%' (and shifts the columns behind it by one).
func percent(text string) (command string, input bool) {
	if !strings.Contains(text, "%") {
		return strings.TrimRight(text, " \t"), false
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text) && text[i+1] == '%':
			b.WriteByte('%')
			i++
		case text[i] == '%':
			return strings.TrimRight(b.String(), " \t"), true
		default:
			b.WriteByte(text[i])
		}
	}
	return strings.TrimRight(b.String(), " \t"), false
}
