package js

import (
	"path"
	"runtime"
	"strconv"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// maxTogether bounds the bytes that are parsed at once: esbuild keeps the trees
// of all of them.
const maxTogether = 256 << 10

// Sound reports of each text whether it is JavaScript in which esbuild finds
// nothing wrong. It is for many files what Parse is for one, at half of the cost:
// what esbuild does for each call it does once, and it prints nothing. A text
// that is not sound is not wrong for that: Parse says what it is.
func Sound(texts [][]byte) []bool {
	out := make([]bool, len(texts))
	for from := 0; from < len(texts); {
		to, size := from, 0
		for ; to < len(texts) && (to == from || size+len(texts[to]) <= maxTogether); to++ {
			size += len(texts[to])
		}
		together(texts[from:to], out[from:to])
		from = to
	}
	return out
}

// nowhere is a folder that cannot be, so that nothing is looked for on the disk.
const nowhere = "/\x00/"

// together judges texts that are parsed at once. One error that belongs to none
// of them, which is there from the beginning, keeps esbuild from linking and
// printing.
func together(texts [][]byte, sound []bool) {
	var entries []string
	for i, src := range texts {
		if unreadable(src) == nil {
			entries = append(entries, nowhere+strconv.Itoa(i))
			sound[i] = true
		}
	}
	if len(entries) == 0 {
		return
	}
	r := api.Build(api.BuildOptions{
		LogLevel: api.LogLevelSilent, LogOverride: warnings, Target: api.ESNext, Supported: unsupported, Platform: api.PlatformNeutral,
		TsconfigRaw: tsconfig, AbsWorkingDir: workingDir(), EntryPoints: entries, Outdir: nowhere,
		Plugins: []api.Plugin{{Name: "texts", Setup: func(b api.PluginBuild) {
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
				text := string(texts[i])
				return api.OnLoadResult{Contents: &text, Loader: api.LoaderJS}, nil
			})
		}}},
	})
	stopped := false
	for _, e := range r.Errors {
		if e.Text == unlinked && e.Location == nil {
			stopped = true
			continue
		}
		i := -1
		if e.Location != nil {
			if n, err := strconv.Atoi(strings.TrimPrefix(e.Location.File, "text:")); err == nil && n < len(texts) {
				i = n
			}
		}
		if i < 0 {
			stopped = false
			break
		}
		sound[i] = false
	}
	if !stopped {
		clear(sound)
	}
}

const unlinked = "parsed only"

func workingDir() string {
	if runtime.GOOS == "windows" {
		return `C:\`
	}
	return "/"
}
