package ecosystem

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"healthaudit/snapshot/analyze/lazyregexp"
)

// maxNodes bounds what aliases may expand to.
const maxNodes = 1_000_000

// plainJSON reads strict JSON, which means the same to JavaScript; ok is false
// for everything else: comments, expressions, numbers beyond float64, and
// __proto__, which JavaScript does not take as a key.
func plainJSON(src []byte) (apps []any, ok bool) {
	if bytes.Contains(src, []byte("proto")) || bytes.Contains(src, []byte(`\u`)) {
		return nil, false
	}
	v, err := decodeJSON(src)
	if err != nil {
		return nil, false
	}
	apps, ok = pick(v)
	return apps, ok && !slices.ContainsFunc(apps, nestsInEnv)
}

// nestsInEnv reports whether an app has an object for a variable: PM2 writes it
// as JSON in the order of the file, which is lost here.
func nestsInEnv(app any) bool {
	m, _ := app.(map[string]any)
	for k, block := range m {
		vars, _ := block.(map[string]any)
		if (k == "env" || envPattern().MatchString(k)) && slices.ContainsFunc(slices.Collect(maps.Values(vars)), hasObject) {
			return true
		}
	}
	return false
}

func decodeJSON(src []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(src))
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("more than one value")
	}
	return v, nil
}

// readPackage reads a package.json, which is a process file only when it
// declares apps. One that is not strict JSON is npm's problem, not PM2's.
func (f *File) readPackage(src []byte) []any {
	v, err := decodeJSON(src)
	m, _ := v.(map[string]any)
	if err != nil || truthy(m["apps"]) == nil && truthy(m["pm2"]) == nil {
		return f.fail(NotConfig, 0, "")
	}
	apps, ok := pick(v)
	if !ok {
		return f.fail(Invalid, 0, noApps)
	}
	return apps
}

const noApps = "declares no list of apps"

// pick returns the apps of a configuration: config.apps, else config.pm2, else
// the configuration itself, and the servers of its static pages (lib/API.js
// _startJson).
func pick(v any) ([]any, bool) {
	var static []any
	if m, ok := v.(map[string]any); ok {
		if list, ok := m["static"].([]any); ok {
			for _, e := range list {
				page, _ := e.(map[string]any)
				static = append(static, staticPage(page["name"], page["port"]))
			}
		} else if truthy(m["static"]) != nil {
			return nil, false
		}
		if a := truthy(m["apps"]); a != nil {
			v = a
		} else if a := truthy(m["pm2"]); a != nil {
			v = a
		}
	}
	switch v := v.(type) {
	case []any:
		return append(v, static...), true
	case map[string]any:
		return append([]any{v}, static...), true
	}
	return nil, false
}

// staticPage returns the app that PM2 makes of an entry of "static".
func staticPage(name, port any) map[string]any {
	if truthy(name) == nil {
		name = "static-page-server-" + scalar(port)
	}
	return map[string]any{"name": name, "script": "serve"}
}

// truthy returns v, or nil when JavaScript takes it for false.
func truthy(v any) any {
	switch x := v.(type) {
	case bool:
		if !x {
			return nil
		}
	case float64:
		if x == 0 {
			return nil
		}
	case string:
		if x == "" {
			return nil
		}
	}
	return v
}

var yamlLine = lazyregexp.New(`line (\d+)`)

func (f *File) readYAML(src []byte) []any {
	if bytes.HasPrefix(src, []byte("%YAML 1.")) { // the library knows 1.1 only by that name
		src = append([]byte("#"), src[1:]...)
	}
	d := yaml.NewDecoder(bytes.NewReader(src))
	var doc yaml.Node
	if err := d.Decode(&doc); err != nil {
		if err == io.EOF {
			return f.fail(Invalid, 0, "the file is empty")
		}
		return f.fail(Invalid, lineIn(err), "YAML that cannot be read")
	}
	if err := expansion(&doc); err != nil {
		return f.fail(Invalid, 0, err.Error())
	}
	if line := asJSYAML(&doc, map[*yaml.Node]bool{}); line > 0 {
		return f.fail(Invalid, line, "YAML with a tag that PM2 does not know")
	}
	var v any
	if err := doc.Decode(&v); err != nil {
		return f.fail(Invalid, lineIn(err), "YAML that cannot be read")
	}
	var next yaml.Node
	if err := d.Decode(&next); err != io.EOF {
		return f.fail(Invalid, next.Line, "more than one YAML document")
	}
	apps, ok := pick(plainYAML(v))
	if !ok {
		return f.fail(Invalid, 1, noApps)
	}
	return apps
}

// lineIn returns the line that a YAML error names. Its text quotes the file
// and is therefore never shown.
func lineIn(err error) int {
	m := yamlLine().FindStringSubmatch(err.Error())
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

// expansion counts the nodes that a document has once its aliases are expanded.
func expansion(doc *yaml.Node) error {
	const open = -1
	seen := map[*yaml.Node]int{}
	var size func(n *yaml.Node) (int, error)
	size = func(n *yaml.Node) (int, error) {
		if s, ok := seen[n]; ok {
			if s == open {
				return 0, errors.New("a YAML anchor that contains itself")
			}
			return s, nil
		}
		seen[n] = open
		total := 1
		children := n.Content
		if n.Kind == yaml.AliasNode {
			children = []*yaml.Node{n.Alias}
		}
		for _, c := range children {
			s, err := size(c)
			if err != nil {
				return 0, err
			}
			if total += s; total > maxNodes {
				return 0, fmt.Errorf("YAML aliases that expand to more than %d values", maxNodes)
			}
		}
		seen[n] = total
		return total, nil
	}
	_, err := size(doc)
	return err
}

var (
	oldOctal = lazyregexp.New(`^[-+]?0[0-9]+$`)
	knownTag = lazyregexp.New(`^(!|!!(str|int|float|bool|null|seq|map|timestamp|merge|binary|omap|pairs|set))?$`)
)

// asJSYAML makes of scalars what PM2's library (js-yaml 4) takes them for, where
// ours differs: 010 is ten and 1_000 a text. It returns the line of the first tag
// that js-yaml does not know, 0 when there is none.
func asJSYAML(n *yaml.Node, seen map[*yaml.Node]bool) (line int) {
	if seen[n] {
		return 0
	}
	seen[n] = true
	if n.Kind != yaml.AliasNode && !knownTag().MatchString(n.ShortTag()) {
		return n.Line
	}
	if n.Kind == yaml.ScalarNode && n.Style == 0 && (n.Tag == "!!int" || n.Tag == "!!float") {
		switch {
		case strings.Contains(n.Value, "_"):
			n.Tag = "!!str"
		case oldOctal().MatchString(n.Value):
			sign := strings.TrimRight(n.Value[:1], "0123456789")
			n.Value = sign + cmp.Or(strings.TrimLeft(n.Value, "+-0"), "0")
		}
	}
	for _, c := range n.Content {
		if l := asJSYAML(c, seen); l > 0 {
			return l
		}
	}
	return 0
}

// A date is what YAML takes for one, as JavaScript writes it into JSON.
type date string

// plainYAML turns what YAML decodes to into what JSON would.
func plainYAML(v any) any {
	switch x := v.(type) {
	case map[string]any:
		for k, e := range x {
			x[k] = plainYAML(e)
		}
		return x
	case map[any]any:
		m := make(map[string]any, len(x))
		for k, e := range x {
			m[fmt.Sprint(k)] = plainYAML(e)
		}
		return m
	case []any:
		for i := range x {
			x[i] = plainYAML(x[i])
		}
		return x
	case int:
		return float64(x)
	case int64:
		return float64(x)
	case uint64:
		return float64(x)
	case nil, string, bool, float64:
		return x
	}
	if t, ok := v.(time.Time); ok {
		return date(t.UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	return fmt.Sprint(v)
}
