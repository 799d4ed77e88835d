package workflow

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// What a call gives, and what a file declares, are names in lower case, as GitHub
// compares them, behind one of these. A declaration ends with "!" where a call must
// give it: it is required, and has no default.
const (
	GivesInput  = "input "
	GivesSecret = "secret "
	GivesAll    = "*" // in place of a name: those that are known at run time only, all secrets
)

// callNotes are what the file declares for its callers, and what it gives to the
// local workflows and actions that it calls: the names in Text, one a line.
func (d *Document) callNotes(m *Model) []Message {
	var out []Message
	if declared := d.declared(m); len(declared) > 0 {
		out = append(out, Message{Pos: Pos{1, 1}, Family: NoteDeclares, Text: strings.Join(declared, "\n")})
	}
	for i := range m.Jobs {
		j := &m.Jobs[i]
		if _, ok := Local(j.Uses); ok {
			out = append(out, Message{Pos: j.UsesPos, Family: NoteCalls, Where: j.ID, Text: strings.Join(j.gives(), "\n")})
		}
		for k := range j.Steps {
			s := &j.Steps[k]
			if _, ok := Local(s.Uses); !ok {
				continue
			}
			var given []string
			for name := range s.with {
				given = append(given, GivesInput+name)
			}
			slices.Sort(given)
			out = append(out, Message{Pos: s.UsesPos, Family: NoteCalls, Where: whereOf(j.ID, s.Key), Text: strings.Join(given, "\n")})
		}
	}
	return out
}

// gives are what a job gives to the workflow that it calls.
func (j *Job) gives() []string {
	var out []string
	for _, v := range j.With {
		out = append(out, GivesInput+strings.ToLower(v.Name))
	}
	for _, name := range j.Secrets {
		if name == "inherit" {
			name = GivesAll
		}
		out = append(out, GivesSecret+strings.ToLower(name))
	}
	return out
}

// declared are the inputs and secrets that a call of the file may give.
func (d *Document) declared(m *Model) []string {
	call := d.root
	if m.Kind == Workflow {
		call = nil
		for k, v := range pairs(d.root) {
			if strings.EqualFold(k.Value, "on") {
				call = child(v, "workflow_call")
			}
		}
	}
	return append(declarations(child(call, "inputs"), GivesInput), declarations(child(call, "secrets"), GivesSecret)...)
}

func declarations(n *yaml.Node, kind string) []string {
	var out []string
	for name, in := range pairs(n) {
		s := kind + strings.ToLower(text(name))
		if strings.EqualFold(text(child(in, "required")), "true") && child(in, "default") == nil {
			s += "!"
		}
		out = append(out, s)
	}
	return out
}
