package rules

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// action reads what a rule does, and its settings by what the action declares.
func (r *reader) action(at string, rule *Rule, d map[string]any) error {
	kind, ids := text(d["type"]), []string{}
	for _, a := range r.v.Actions {
		ids = append(ids, a.ID)
		if a.ID == kind {
			rule.Action = a
		}
	}
	switch {
	case len(d) == 0:
		return r.fail(at, "the rule "+rule.ID+" has no action", "give it one: action: {type: "+ids[0]+"}")
	case rule.Action == nil:
		hint := r.v.Meant(kind, ids)
		if hint == "" {
			hint = "this version has " + strings.Join(ids, ", ")
		}
		return r.fail(at+".action.type", fmt.Sprintf("there is no action %q", kind), hint)
	case !slices.Contains(rule.Action.Systems, rule.System):
		return r.fail(at+".action.type", fmt.Sprintf("%s is no action for %s", kind, rule.System), "")
	}
	rule.Params = map[string]string{}
	names := []string{}
	for _, p := range rule.Action.Params {
		names = append(names, p.Name)
		v, err := p.read(d[p.Name])
		if err != nil {
			return r.fail(at+".action."+p.Name, fmt.Sprintf("%s of %s %v", p.Name, kind, err), "")
		}
		rule.Params[p.Name] = v
	}
	for _, k := range slices.Sorted(maps.Keys(d)) {
		if k != "type" && !slices.Contains(names, k) {
			return r.fail(at+".action."+k, fmt.Sprintf("%s has no setting %q", kind, k), r.v.Meant(k, names))
		}
	}
	if rule.Action.Check != nil {
		if err := rule.Action.Check(rule.Params); err != nil {
			return r.fail(at+".action", kind+": "+err.Error(), "")
		}
	}
	if rule.Action.Twice != nil && rule.Params[Idempotently] == "true" {
		rule.Action = rule.Action.Twice
	}
	return nil
}

// text is a plain value as it is written.
func text(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// read returns a setting as actions get it: a list as JSON.
func (p Param) read(v any) (string, error) {
	list, isList := v.([]any)
	_, isMap := v.(map[string]any)
	switch {
	case isMap || isList != p.List && v != nil:
		return "", errors.New(map[bool]string{true: "wants a list of words", false: "wants one word"}[p.List])
	case p.List:
		words := []string{}
		for _, w := range list {
			switch w.(type) {
			case []any, map[string]any, nil:
				return "", errors.New("wants a list of words")
			}
			words = append(words, text(w))
		}
		b, err := json.Marshal(words)
		return string(b), err
	case v == nil:
		v = p.Default
	}
	word := text(v)
	n, err := strconv.Atoi(word)
	switch {
	case p.Longest > 0:
		d, err := ParseSpan(word)
		if err == nil && (d <= 0 || d > p.Longest) {
			err = fmt.Errorf("%s is not between 1s and %s", word, p.Longest)
		}
		if err != nil {
			return "", fmt.Errorf("is wrong: %w", err)
		}
	case p.Max > 0 && (err != nil || n < 0 || n > p.Max || strconv.Itoa(n) != word):
		return "", fmt.Errorf("is %q, want a number from 0 to %d", word, p.Max)
	case p.Max == 0 && !slices.Contains(p.Values, word):
		return "", fmt.Errorf("is %q, want %s", word, strings.Join(p.Values, " or "))
	}
	return word, nil
}

// Words returns a list that a rule sets.
func Words(param string) (words []string, err error) {
	err = json.Unmarshal([]byte(param), &words)
	return words, err
}
