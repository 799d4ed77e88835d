package script

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/python"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/host"
)

// Bounds of the processes that read Python, one after another.
const (
	pythonTimeout  = 60 * time.Second // for all files
	pythonPatience = 5 * time.Second  // of processor time, for one
	pythonInput    = 64 << 20
	pythonOutput   = 8 << 20
	pythonTries    = 10 // how many processes: one at which the interpreter ends is passed over
)

// Why the syntax of a file is unknown although there is an interpreter.
var (
	pythonEnded  = fmt.Sprintf("python3 did not get through it: it took more than %s, or crashed", pythonPatience)
	pythonBehind = "python3 did not come to it: there is too much Python, or other files took all of its time"
)

// A verdict is what the interpreter says of one file; it is cached by content
// and interpreter.
type verdict struct {
	Problem *problem `json:"p,omitempty"`
	Version string   `json:"v"`
}

// A pythonFile is a file whose syntax is not known yet.
type pythonFile struct {
	item  *snapshot.Item
	found *analysis
	key   string
	sum   string // of the file
	text  []byte
}

// judgePython fills in the syntax of Python files: from the cache, and for the
// rest by the interpreter. Where there is none, they stay unassessed; what one
// cannot judge is unknown.
func judgePython(ctx context.Context, s *collect.Session, items []*snapshot.Item, found []analysis, res *collect.Result) {
	var open []pythonFile
	program, identity := "", ""
	total, size := 0, 0
	for i := range found {
		a := &found[i]
		if a.Language != langPython || a.Unknown != "" || !a.Done || a.Assessed || a.Interpreter == "python2" {
			continue
		}
		if total++; total == 1 {
			program, identity = collect.Program(s.Host, "python3")
		}
		if program == "" {
			continue
		}
		it := items[i]
		f := it.Files[0]
		key := "python.syntax:" + snapshot.Sum([]byte(f.SHA256 + "\x00" + identity))[:40]
		if v, ok := snapshot.Recall[verdict](s.Derived, key); ok {
			a.assess(v)
			continue
		}
		b, err := s.Files.Bytes(f)
		switch {
		case err != nil:
			it.Unknown = changed
		case size+len(b) > pythonInput:
			it.Unknown = pythonBehind
		default:
			size += len(b)
			open = append(open, pythonFile{it, a, key, f.SHA256, b})
		}
	}
	judgeAll(ctx, s, program, open)
	if n := unassessed(items, found); n > 0 {
		why := "python3 is not on PATH"
		if program != "" {
			why = "python3 does not start, or they are for Python 2"
		}
		say(res, fmt.Sprintf("the syntax of %d Python files is not assessed: %s", n, why))
	}
}

func unassessed(items []*snapshot.Item, found []analysis) (n int) {
	for i, a := range found {
		if a.Language == langPython && items[i].Unknown == "" && !a.Assessed {
			n++
		}
	}
	return n
}

func (a *analysis) assess(v verdict) {
	a.Assessed = true
	if v.Problem != nil {
		a.Problems = append(a.Problems, *v.Problem)
	}
}

// judgeAll has the interpreter judge the files, the smallest first. The one at
// which it ends is unknown, and another process goes on with the rest.
func judgeAll(ctx context.Context, s *collect.Session, program string, open []pythonFile) {
	slices.SortStableFunc(open, func(a, b pythonFile) int { return len(a.text) - len(b.text) })
	ctx, cancel := context.WithTimeout(ctx, pythonTimeout)
	defer cancel()
	for tries := 0; len(open) > 0 && tries < pythonTries && ctx.Err() == nil; tries++ {
		verdicts, began := ask(ctx, s.Host, program, open)
		if !began {
			if tries == 0 { // as if there were none
				return
			}
			break
		}
		for i, v := range verdicts {
			snapshot.Remember(s.Derived, open[i].key, v, open[i].sum)
			open[i].found.assess(v)
		}
		if open = open[len(verdicts):]; len(open) > 0 && ctx.Err() == nil {
			open[0].item.Unknown = pythonEnded
			open = open[1:]
		}
	}
	for _, f := range open {
		f.item.Unknown = pythonBehind
	}
}

// ask runs the interpreter over the files; it returns the verdicts it gave
// before it ended, in order, and whether it began at all.
func ask(ctx context.Context, h host.Host, program string, open []pythonFile) (out []verdict, began bool) {
	var in bytes.Buffer
	for _, f := range open {
		in.WriteString(strconv.Itoa(len(f.text)) + "\n")
		in.Write(f.text)
	}
	limit := strconv.FormatFloat(pythonPatience.Seconds(), 'f', -1, 64)
	res, _ := h.Run(ctx, host.Command{ // what it printed before it ended counts, however it ended
		Program: program, Args: []string{"-I", "-S", "-c", python.Program, limit}, Dir: "/", In: in.Bytes(), Timeout: pythonTimeout, MaxOut: pythonOutput,
		Env: []string{"PATH=" + collect.SafePath(h), "HOME=" + h.Env("HOME"), "PYENV_ROOT=" + h.Env("PYENV_ROOT"), "LC_ALL=C.UTF-8", "PYTHONDONTWRITEBYTECODE=1"},
	})
	version, rest, began := strings.Cut(string(res.Out), "\n")
	for line := range strings.Lines(rest) {
		var answer []any
		if len(out) == len(open) || !strings.HasSuffix(line, "\n") || json.Unmarshal([]byte(line), &answer) != nil {
			break
		}
		v := verdict{Version: version}
		if len(answer) == 3 {
			v.Problem = pythonProblem(answer, version, open[len(out)].text)
		}
		out = append(out, v)
	}
	return out, began
}

func pythonProblem(answer []any, version string, text []byte) *problem {
	line, _ := answer[0].(float64)
	column, _ := answer[1].(float64)
	message, _ := answer[2].(string)
	p := &problem{min(max(int(line), 1), bytes.Count(text, []byte("\n"))+1), max(int(column), 1), weightDoubt, snippet(message)}
	if python.Sure(message) {
		p.Weight = weightSure
	}
	p.Message += " (Python " + version + ")"
	return p
}

// snippet keeps a message of the interpreter to one short line.
func snippet(message string) string {
	return strings.ToValidUTF8(message[:min(len(message), 160)], "")
}
