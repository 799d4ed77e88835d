package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"strings"

	"healthaudit/report"
)

// npmScripts are what init adds to package.json.
var npmScripts = [][2]string{
	{"audit", "audit run"},
	{"audit:report", "audit report"},
	{"audit:status", "audit status"},
	{"audit:diff", "audit diff"},
	{"audit:logs", "audit logs"},
	{"audit:doctor", "audit doctor"},
}

// npm adds scripts to package.json. One whose name is taken is left alone.
func (c *initCmd) npm(a *App, root *os.Root, _ *report.Document) (*initStep, error) {
	const path = "package.json"
	was, err := readOwn(root, path)
	if errors.Is(err, fs.ErrNotExist) {
		if c.NPM {
			return nil, &usageError{"--npm: there is no package.json in the root", "leave --npm out, or name the folder that has one: --root DIR"}
		}
		return nil, nil
	}
	st := &initStep{path: path, ask: "Add npm scripts (audit, audit:report, audit:status and others) to package.json?", agreed: c.NPM, flag: "--npm"}
	if err == nil {
		var now []byte
		var added []string
		if now, added, err = addScripts(was, npmScripts); err == nil && len(added) == 0 {
			st.there = "has these scripts already"
			return st, nil
		}
		st.what = "the scripts " + strings.Join(added, ", ")
		st.do = func() error { return replace(root, path, was, now) }
	}
	if err != nil {
		if c.NPM {
			return nil, &usageError{path + ": " + err.Error(), "nothing was written; mend that first, or leave --npm out"}
		}
		return nil, nil
	}
	return st, nil
}

// An object is where something can be added to a JSON object.
type object struct {
	end   int    // behind its last member, or behind its bracket where it has none
	space string // before the name of its last member
	colon string // between that name and its value
	empty bool
}

// addScripts adds what is missing to "scripts" of a package.json and changes no
// other byte. It looks like the scripts that are there. Of a key that stands
// twice the last one counts, as npm has it. Errors: what is wrong with the file.
func addScripts(src []byte, scripts [][2]string) (now []byte, added []string, err error) {
	body := bytes.TrimPrefix(src, []byte("\ufeff"))
	if err := json.Unmarshal(body, new(any)); err != nil { // what follows takes it for JSON
		return nil, nil, err
	}
	shift := len(src) - len(body)
	var top, inner object
	var have map[string]any
	top, err = members(body, 0, func(key string, at int) error {
		if key != "scripts" {
			return nil
		}
		have = map[string]any{}
		inner, err = members(body, at, func(name string, _ int) error { have[name] = true; return nil })
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	if top.empty {
		top.space, top.colon = "\n  ", ": "
	}
	fresh := have == nil
	if fresh || inner.empty {
		inner.space, inner.colon = top.space, top.colon
		if _, indent, ok := strings.Cut(top.space, "\n"); ok {
			inner.space += indent
		}
	}
	var list []string
	for _, s := range scripts {
		if have[s[0]] == nil {
			added = append(added, s[0])
			list = append(list, fmt.Sprintf("%s%q%s%q", inner.space, s[0], inner.colon, s[1]))
		}
	}
	if len(added) == 0 {
		return src, nil, nil
	}
	text, at := strings.Join(list, ","), inner.end
	switch {
	case fresh:
		at, text = top.end, top.space+`"scripts"`+top.colon+"{"+text+top.space+"}"
		if top.empty {
			text += "\n"
		} else {
			text = "," + text
		}
	case inner.empty: // what stands between its brackets is white space
		rest := bytes.IndexByte(body[at:], '}')
		body = append(body[:at:at], body[at+rest:]...)
		text += top.space
	default:
		text = "," + text
	}
	now = append(append(append([]byte{}, src[:shift]...), body[:at]...), text...)
	now = append(now, body[at:]...)
	return now, added, sameBut(src[shift:], now[shift:], scripts)
}

// members walks over the object that begins at an offset, and calls fn with each
// name and the offset of its value.
func members(src []byte, from int, fn func(name string, at int) error) (o object, err error) {
	dec := json.NewDecoder(bytes.NewReader(src[from:]))
	offset := func() int { return from + int(dec.InputOffset()) }
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return o, errors.Join(errors.New("no JSON object where one is to be"), err)
	}
	o.end, o.empty = offset(), true
	for {
		before := offset() // More skips white space
		if !dec.More() {
			break
		}
		t, err := dec.Token()
		if err != nil {
			return o, err
		}
		name, ok := t.(string)
		if !ok {
			return o, errors.New("a name is no string")
		}
		lead := src[before:offset()]
		space := lead[:bytes.IndexByte(lead, '"')]
		if _, after, ok := bytes.Cut(space, []byte(",")); ok {
			space = after
		}
		o.space = string(space)
		at := offset()
		value := at + bytes.IndexFunc(src[at:], func(r rune) bool { return !strings.ContainsRune(" \t\r\n:", r) })
		o.colon = string(src[at:value])
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return o, err
		}
		if err := fn(name, value); err != nil {
			return o, err
		}
		o.end, o.empty = offset(), false
	}
	_, err = dec.Token()
	return o, err
}

// sameBut reports an error unless the new file says what the old one said, and
// the scripts besides.
func sameBut(was, now []byte, scripts [][2]string) error {
	var old, is map[string]any
	if err := errors.Join(json.Unmarshal(was, &old), json.Unmarshal(now, &is)); err != nil {
		return err
	}
	list, _ := old["scripts"].(map[string]any)
	if list == nil {
		list = map[string]any{}
	}
	for _, s := range scripts {
		if _, ok := list[s[0]]; !ok {
			list[s[0]] = s[1]
		}
	}
	old["scripts"] = list
	if !reflect.DeepEqual(old, is) {
		return errors.New("its scripts could not be added to without changing more")
	}
	return nil
}
