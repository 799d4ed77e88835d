package js

import (
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/evanw/esbuild/pkg/api"
)

// How many texts are parsed at once, and how many bytes of them: esbuild keeps the
// trees of all.
const (
	maxTexts    = 16
	maxTogether = 256 << 10
)

// Sound reports of each text whether it is JavaScript in which esbuild finds
// nothing wrong. It is for many files what Parse is for one, at a third of the
// cost: what esbuild does for each call it does once, and it prints nothing. A text
// that is not sound is not wrong for that: Parse says what it is.
func Sound(texts [][]byte) []bool {
	out := make([]bool, len(texts))
	for from := 0; from < len(texts); {
		to, size := from, 0
		for ; to < len(texts) && to-from < maxTexts && (to == from || size+len(texts[to]) <= maxTogether); to++ {
			size += len(texts[to])
		}
		together(texts[from:to], out[from:to])
		from = to
	}
	return out
}

// together judges texts that are parsed at once.
func together(texts [][]byte, sound []bool) {
	read := make([][]byte, maxTexts)
	for i, src := range texts {
		if sound[i] = unreadable(src) == nil; sound[i] {
			read[i] = src
		}
	}
	if !slices.Contains(sound, true) {
		return
	}
	j := judges.Get().(*judge)
	wrong, ok := j.wrong(read)
	if !ok {
		clear(sound)
		return
	}
	judges.Put(j)
	for i := range sound {
		sound[i] = sound[i] && !wrong[i]
	}
}

// judges are used again: one keeps what it read last, but each keeps it for a while.
var judges = sync.Pool{New: func() any { return newJudge() }}

// A judge is an esbuild that parses maxTexts texts at once. One error that belongs
// to none of them, which is there from the beginning, keeps it from linking and
// printing.
type judge struct {
	ctx   api.BuildContext // nil: there is none
	texts [][]byte
}

const unlinked = "parsed only"

// nowhere is a folder that cannot be, so that nothing is looked for on the disk.
const nowhere = "/\x00/"

func newJudge() *judge {
	j := &judge{}
	var entries []string
	for i := range maxTexts {
		entries = append(entries, nowhere+strconv.Itoa(i))
	}
	j.ctx, _ = api.Context(api.BuildOptions{
		LogLevel: api.LogLevelSilent, LogOverride: warnings, Target: api.ESNext, Supported: unsupported, Platform: api.PlatformNeutral,
		TsconfigRaw: tsconfig, AbsWorkingDir: workingDir(), EntryPoints: entries, Outdir: nowhere,
		Plugins: []api.Plugin{{Name: "texts", Setup: j.plug}},
	})
	return j
}

func workingDir() string {
	if runtime.GOOS == "windows" {
		return `C:\`
	}
	return "/"
}

func (j *judge) plug(b api.PluginBuild) {
	b.OnStart(func() (api.OnStartResult, error) {
		return api.OnStartResult{Errors: []api.Message{{Text: unlinked}}}, nil
	})
	b.OnResolve(api.OnResolveOptions{Filter: "."}, func(a api.OnResolveArgs) (api.OnResolveResult, error) {
		return api.OnResolveResult{Path: path.Base(a.Path), Namespace: "text"}, nil
	})
	b.OnLoad(api.OnLoadOptions{Filter: ".", Namespace: "text"}, func(a api.OnLoadArgs) (api.OnLoadResult, error) {
		i, err := strconv.Atoi(a.Path)
		if err != nil {
			return api.OnLoadResult{}, err
		}
		text := string(j.texts[i])
		return api.OnLoadResult{Contents: &text, Loader: api.LoaderJS}, nil
	})
}

// wrong returns which of the texts esbuild has something against; ok is false when
// it does not say.
func (j *judge) wrong(texts [][]byte) (wrong [maxTexts]bool, ok bool) {
	if j.ctx == nil {
		return wrong, false
	}
	j.texts = texts
	for _, e := range j.ctx.Rebuild().Errors {
		switch {
		case e.Location == nil && e.Text == unlinked:
			ok = true
		case e.Location == nil:
			return wrong, false
		default:
			i, err := strconv.Atoi(strings.TrimPrefix(e.Location.File, "text:"))
			if err != nil || i < 0 || i >= maxTexts {
				return wrong, false
			}
			wrong[i] = true
		}
	}
	j.texts = nil
	return wrong, ok
}
