package ecosystem

import (
	"encoding/json"
	"io"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"healthaudit/snapshot/analyze/lazyregexp"
)

// Limits of the child, of processor time: on a busy machine a good file takes long,
// and may take patience times as much. The parent's Timeout is longer, so that the
// child can say itself what happened.
const (
	evalTime   = slower * 2 * time.Second
	lastWord   = slower * 2500 * time.Millisecond
	patience   = 10
	maxMemory  = 256 << 20  // bytes of writable memory (RLIMIT_DATA)
	maxCPU     = slower * 3 // seconds of processor time (RLIMIT_CPU)
	maxRequest = 32 << 20
	callStack  = 2000 // frames
)

// ChildTimeout and ChildOutput are what the parent allows a child: wall time,
// and bytes of its answer.
const (
	ChildTimeout = patience*lastWord + 2*time.Second
	ChildOutput  = 4 << 20
)

// A request is what the child is asked: a file's text and what it may require.
type request struct {
	Path  string         `json:"path"`
	Kind  Kind           `json:"kind"`
	Type  string         `json:"type,omitempty"` // see Input
	Src   string         `json:"src"`
	Files map[string]Dep `json:"files,omitempty"`

	other bool // the second world: see varies
}

// A reply is what the child found. Values of environment variables stand in it
// in clear: it goes through a pipe into the parent's memory and no further.
type reply struct {
	Apps    []any    `json:"apps,omitempty"`
	Need    string   `json:"need,omitempty"`
	Refused string   `json:"refused,omitempty"`
	Failed  string   `json:"failed,omitempty"`
	Slow    bool     `json:"slow,omitempty"`
	Default bool     `json:"default,omitempty"` // only export default: PM2 sees no apps
	Line    int      `json:"line,omitempty"`
	Env     []string `json:"env,omitempty"`

	Varies [][]string `json:"varies,omitempty"` // by app: see varies
}

// Child is the hidden command that evaluates one process file: it reads a
// request, limits itself, runs the script in a world without files, network
// and processes, and writes the answer. It returns the exit code.
func Child(in io.Reader, out io.Writer) int {
	b, err := io.ReadAll(io.LimitReader(in, maxRequest+1))
	var req request
	if err != nil || len(b) > maxRequest || json.Unmarshal(b, &req) != nil {
		return 64
	}
	limitSelf()
	done := make(chan reply, 2)
	defer overtime(lastWord, func(why string) { // a regular expression cannot be interrupted
		done <- reply{Failed: why, Slow: true}
	})()
	go func() {
		var slow atomic.Bool
		stop := overtime(lastWord/4, func(string) { slow.Store(true) })
		r := evaluate(&req)
		stop()
		if r.Apps != nil {
			r.Varies = varies(&req, r.Apps, !slow.Load())
		}
		done <- r
	}()
	r := <-done
	answer, err := json.Marshal(r)
	if err != nil {
		return 70
	}
	if _, err := out.Write(answer); err != nil {
		return 70
	}
	return 0
}

// tooMuch is one reason for every limit: which of them a script meets first
// depends on the machine, and the reason must not.
const tooMuch = "needs more than 2 seconds or 256 MB to be evaluated"

// tooBusy is the reason where a script had not even that.
const tooBusy = "could not be evaluated in time: the machine is busy"

// readScript has a child evaluate a file.
func (f *File) readScript(in Input) []any {
	if in.Child == nil {
		return f.fail(NeedsNode, 0, "JavaScript is not evaluated here")
	}
	req := request{Path: in.Path, Kind: f.Kind, Type: in.Type, Src: string(in.Src), Files: in.Files}
	b, err := json.Marshal(req)
	if err != nil || len(b) > maxRequest {
		return f.fail(Invalid, 0, "requires more than 32 MB of files")
	}
	ran := in.Child(b)
	var r reply
	if bad := ran.verdict(&r); bad != "" {
		f.Transient = ran.Err != nil || ran.TimedOut
		if f.Transient {
			return f.fail(NeedsNode, 0, bad)
		}
		return f.fail(Invalid, 0, bad)
	}
	f.EnvRead, f.Need = r.Env, r.Need
	switch {
	case r.Need != "":
		return nil
	case r.Refused != "":
		return f.fail(NeedsNode, r.Line, r.Refused)
	case r.Failed == tooBusy:
		f.Transient = true
		return f.fail(NeedsNode, 0, r.Failed)
	case r.Failed != "":
		f.Transient = r.Slow
		return f.fail(Invalid, r.Line, r.Failed)
	}
	f.varies = r.Varies
	if r.Default {
		f.Problems = append(f.Problems, onlyDefault)
	}
	return r.Apps
}

var onlyDefault = Problem{Key: "export", Message: "PM2 starts nothing of a module that only has export default: it needs export const apps = […]"}

// verdict returns why there is no answer, or "".
func (r Ran) verdict(to *reply) string {
	switch {
	case r.TooLarge:
		return "declares more than 4 MB"
	case r.Err != nil && !r.TimedOut:
		return "could not be evaluated: no child process"
	case r.TimedOut:
		return tooBusy
	case r.Code != 0: // by a signal where RLIMIT_CPU ends it, by 2 where Go's runtime gets no memory
		return tooMuch
	}
	d := json.NewDecoder(strings.NewReader(string(r.Out)))
	if d.Decode(to) != nil {
		return "could not be evaluated: no answer"
	}
	return ""
}

var literalRequire = lazyregexp.New(`(?:require\s*\(\s*|from\s*|import\s*)["'](\.{1,2}/[^"'\n]{1,200})["']`)

// Requires returns the project paths that a script requires in plain sight,
// sorted: handing them over with the first request saves a round for each.
func Requires(p string, src []byte) []string {
	var out []string
	for _, m := range literalRequire().FindAllSubmatch(src, 20) {
		if q := path.Join(path.Dir(p), string(m[1])); !strings.HasPrefix(q, "../") && q != ".." {
			out = append(out, q)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
