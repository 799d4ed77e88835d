package ecosystem

import (
	_ "embed"
	"encoding/json"
	"strings"
	"time"
)

// NodeScript is the program that real Node runs (node -e) to evaluate a process
// file; what it reads and writes is the affair of WithNode.
//
//go:embed node.js
var NodeScript string

// What real Node may take for one file: NodeTimeout is wall time with Node's own
// start, NodeHeap the megabytes of JavaScript objects, NodeMemory all private
// memory in bytes, NodeOutput the bytes that it may print.
const (
	nodeTime    = 2 * time.Second
	NodeTimeout = nodeTime + 3*time.Second
	NodeHeap    = 256
	NodeMemory  = 1 << 30
	NodeOutput  = ChildOutput
)

// NodeEnv is all the environment that real Node sees: what the sandbox pretends.
var NodeEnv = []string{"NODE_ENV=production", "HOME=", "USER=", "LOGNAME=", "PATH=", "PWD=", "SHELL=", "TMPDIR="}

// A NodeInput is a process file that only real Node can evaluate.
type NodeInput struct {
	Input
	Root string                   // of the project: what is declared must not depend on where it lies
	Mark string                   // a text that nobody can guess: the answer stands behind it
	Run  func(request []byte) Ran // runs NodeScript
}

// A nodeReply is what NodeScript answers.
type nodeReply struct {
	Apps    any    `json:"apps"`
	Static  any    `json:"static,omitempty"`
	Default bool   `json:"default"`
	Failed  string `json:"failed"`
	Slow    bool   `json:"slow"`
}

// WithNode reads with real Node a file that the sandbox could not: f is the
// sandbox's answer, and stands with one more reason where Node fails as well.
// The answer depends on more than the file and must not be cached.
func (f File) WithNode(in NodeInput) File {
	request, err := json.Marshal(map[string]any{
		"path": in.Root + "/" + in.Path, "json": f.Kind == JSON, "mark": in.Mark, "limit": nodeTime.Milliseconds(),
	})
	if err != nil {
		return f
	}
	reply, why := in.Run(request).answer(in.Mark)
	var apps []any
	if why == "" {
		var ok bool
		if apps, ok = pick(reroot(map[string]any{"apps": reply.Apps, "static": reply.Static}, in.Root)); !ok {
			why = noApps
		}
	}
	if why != "" {
		f.Reason += "; in real Node it " + why
		return f
	}
	out := File{Kind: f.Kind, Status: OK, EnvRead: f.EnvRead}
	for range apps { // on what, nobody knows
		out.varies = append(out.varies, []string{"*"})
	}
	if reply.Default {
		out.Problems = append(out.Problems, onlyDefault)
	}
	out.normalise(in.Input, apps)
	return out
}

// answer returns what stands behind the mark, or why there is nothing.
func (r Ran) answer(mark string) (reply nodeReply, why string) {
	_, text, found := strings.Cut(string(r.Out), mark)
	line, _, whole := strings.Cut(text, "\n")
	switch {
	case r.TooLarge:
		return reply, "prints or declares more than 4 MB"
	case r.TimedOut, r.Code < 0, r.Code == 134: // Node aborts when its heap is full
		return reply, nodeTooMuch
	case r.Err != nil:
		return reply, "cannot be run: " + r.Err.Error()
	case !found || !whole:
		return reply, "ends the process itself"
	case json.Unmarshal([]byte(line), &reply) != nil:
		return reply, "gives no answer"
	case reply.Slow:
		return reply, nodeTooMuch
	}
	return reply, reply.Failed
}

const nodeTooMuch = "needs more than 2 seconds or 256 MB"

// reroot writes paths below the root as the sandbox shows them to a file.
func reroot(v any, root string) any {
	switch x := v.(type) {
	case string:
		if x == root {
			return virtualRoot
		}
		return strings.ReplaceAll(x, root+"/", virtualRoot+"/")
	case []any:
		for i := range x {
			x[i] = reroot(x[i], root)
		}
	case map[string]any:
		for k := range x {
			x[k] = reroot(x[k], root)
		}
	}
	return v
}
