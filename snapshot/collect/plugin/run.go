package plugin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"healthaudit/snapshot/analyze/mask"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/host"
)

// basic are the variables that every program of a configuration is given, where
// they are set. Their values are no secrets and may be long or common words.
var basic = []string{"HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "SHELL", "TMPDIR", "TZ", "USER"}

// Run starts a program with something on its standard input, and returns what it
// printed. However it ends, its process group is gone afterwards.
func (p *Program) Run(ctx context.Context, h host.Host, in []byte) ([]byte, *Failure) {
	path, bad := p.find(h)
	if bad != nil {
		return nil, bad
	}
	res, err := h.Run(ctx, host.Command{Program: path, Args: p.Command[1:], Env: p.environment(h), In: in, Timeout: p.Timeout, MaxOut: maxOutput, MaxError: maxError, Alone: true, Marked: true})
	const byHand = "Run it by hand, with what docs/plugins.md says on its standard input."
	said := p.said(h, res.Err)
	switch {
	case res.TimedOut:
		return nil, &Failure{fmt.Sprintf("did not end within %s, and was killed", p.Timeout), "Find out what it waits for, or give it more time: timeout."}
	case errors.Is(err, host.ErrTooLarge):
		return nil, &Failure{fmt.Sprintf("printed more than %d MiB, and was killed", maxOutput>>20), "Let it print less: " + byHand}
	case ctx.Err() != nil:
		return nil, &Failure{"was stopped with the run", ""}
	case errors.Is(err, fs.ErrPermission):
		return nil, &Failure{"may not be started by this user", "chmod +x makes a file a program."}
	case res.Code == 0 && len(strings.TrimSpace(string(res.Out))) > 0:
		return res.Out, nil
	case err != nil && res.Code < 0 && len(res.Err) == 0:
		return nil, &Failure{"could not be started: " + reason(err), "A script needs a first line such as #!/bin/sh, and the program that it names. " + byHand}
	case res.Code < 0:
		return nil, &Failure{"was killed" + said, byHand}
	case res.Code > 0:
		return nil, &Failure{fmt.Sprintf("ended with exit code %d%s", res.Code, said), byHand}
	}
	return res.Out, nil
}

// reason is what the operating system says, without the path and the arguments.
func reason(err error) string {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err.Error()
	}
	return "the system refused it"
}

// find returns the absolute path of the program.
func (p *Program) find(h host.Host) (string, *Failure) {
	name := p.Command[0]
	if !strings.ContainsRune(name, filepath.Separator) {
		path, err := h.Look(name)
		if err != nil {
			return "", &Failure{fmt.Sprintf("cannot be started: there is no program %s on PATH", name), "Name it by its path: under cron PATH is short. A program that lies in the project is not taken from PATH."}
		}
		return path, nil
	}
	failed := func(why, hint string) (string, *Failure) {
		return "", &Failure{"cannot be started: " + why, hint}
	}
	switch err := host.Program(name, p.Relative); {
	case err == nil:
		return name, nil
	case errors.Is(err, fs.ErrNotExist):
		return failed("there is no file "+name, "command names the program first; a path that begins with ./ is one beside the configuration.")
	case errors.Is(err, host.ErrLeadsOut):
		return failed(name+" is a link that leads out of the folder of the configuration, which is not followed", "Name the program that it leads to.")
	case errors.Is(err, host.ErrNotRegular):
		return failed(name+" is no regular file", "command names the program first.")
	case errors.Is(err, host.ErrNotExecutable):
		return failed(name+" is not executable", "chmod +x makes a file a program.")
	default:
		return failed(reason(err), "Let the user who runs audit read it.")
	}
}

// environment is exactly what the program is given.
func (p *Program) environment(h host.Host) []string {
	var out []string
	for _, name := range slices.Concat(basic, p.Env) {
		v := h.Env(name)
		if name == "PATH" { // what it starts, its interpreter too, is not of the project
			v = collect.SafePath(h)
		}
		if v != "" {
			out = append(out, name+"="+v)
		}
	}
	return out
}

// secrets are the values that the program was given by name, which may stand
// nowhere.
func (p *Program) secrets(h host.Host) []string {
	var out []string
	for _, name := range p.Env {
		if v := h.Env(name); v != "" && !slices.Contains(basic, name) {
			out = append(out, v)
			for line := range strings.Lines(v) { // as it stands in a text of one line
				out = append(out, strings.Join(strings.Fields(clean(line)), " "))
			}
			out = append(out, strings.Join(strings.Fields(clean(v)), " "))
		}
	}
	return slices.Concat(out, p.arguments())
}

// arguments are those that are neither options nor paths: their values are shown
// nowhere either.
func (p *Program) arguments() []string {
	var out []string
	for _, a := range p.Command[1:] {
		if _, v, ok := strings.Cut(a, "="); ok && strings.HasPrefix(a, "-") {
			a = v
		}
		if mask.Text(a, nil) != a || len(a) >= 12 && !strings.ContainsAny(a, "/.-") {
			out = append(out, a)
		}
	}
	return out
}

// maxError bounds what is read of standard error, maxSaid what is shown, in bytes.
const (
	maxError = 4096
	maxSaid  = 200
)

// said is the last line on standard error, masked, to stand behind a sentence. Of
// more than is read it is the last whole one: half of a secret is not known for one.
func (p *Program) said(h host.Host, stderr []byte) string {
	if len(stderr) >= maxError {
		stderr = stderr[:bytes.LastIndexByte(stderr, '\n')+1]
	}
	lines := strings.Split(strings.TrimSpace(strings.ToValidUTF8(string(stderr), "")), "\n")
	line := strings.TrimSpace(lines[len(lines)-1])
	if line == "" {
		return ""
	}
	line = mask.Errors(clean(line), p.secrets(h))
	if len(line) > maxSaid {
		line = strings.ToValidUTF8(line[:maxSaid], "") + "…"
	}
	return ": " + line
}

// clean takes out of a text what is no character to read.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r == utf8.RuneError || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069:
			return -1
		}
		return r
	}, s)
}
