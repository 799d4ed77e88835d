package main

import (
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// parse reads the command line of a process. Where its first argument is a
// command, kong learns of that one alone: all of them take it longer than many
// a command runs.
func parse(cli *CLI, p *Process) (*kong.Kong, *kong.Context, error) {
	grammar, part := any(cli), reflect.Value{}
	if len(p.Args) > 0 {
		if part = partOf(p.Args[0]); part.IsValid() {
			grammar = part.Interface()
		}
	}
	k, err := newKong(grammar, p)
	if err != nil {
		panic(err)
	}
	c, err := k.Parse(p.Args)
	if part.IsValid() {
		for i := range part.Elem().NumField() {
			f := part.Elem().Type().Field(i)
			reflect.ValueOf(cli).Elem().FieldByName(f.Name).Set(part.Elem().Field(i))
		}
	}
	return k, c, err
}

func newKong(grammar any, p *Process) (*kong.Kong, error) {
	return kong.New(grammar, kong.Name("audit"), kong.Writers(p.Stdout, p.Stderr),
		kong.Description("Audits the automation nobody watches: PM2 processes, GitHub Actions workflows, Netlify Functions, scripts and cron lines. It remembers what it saw and tells what got worse."),
		kong.Vars{"formats": formats()},
		kong.Exit(func(code int) { panic(helpShown(code)) }), kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 80}))
}

// explaining are the commands that tell of all the others.
var explaining = []string{"Help", "Completion", "Internal"}

// partOf returns a pointer to a struct with the flags of CLI and one of its
// commands; the zero value where there is no command of that name, or where it
// needs to know the others.
func partOf(command string) reflect.Value {
	var fields []reflect.StructField
	found := false
	t := reflect.TypeFor[CLI]()
	for i := range t.NumField() {
		f := t.Field(i)
		_, isCommand := f.Tag.Lookup("cmd")
		if isCommand && (nameOf(f) != command || slices.Contains(explaining, f.Name)) {
			continue
		}
		found = found || isCommand
		fields = append(fields, f)
	}
	if !found {
		return reflect.Value{}
	}
	for i := range fields {
		fields[i].Offset, fields[i].Index = 0, nil
	}
	return reflect.New(reflect.StructOf(fields))
}

// nameOf is how kong calls a command: by its tag, or by the words of its field.
func nameOf(f reflect.StructField) string {
	if name, ok := f.Tag.Lookup("name"); ok {
		return name
	}
	var name strings.Builder
	for i, r := range f.Name {
		if i > 0 && r >= 'A' && r <= 'Z' {
			name.WriteByte('-')
		}
		name.WriteRune(r)
	}
	return strings.ToLower(name.String())
}
