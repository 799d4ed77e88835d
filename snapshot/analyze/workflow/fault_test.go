package workflow

import (
	"strings"
	"testing"
	"time"
)

func TestFault(t *testing.T) {
	const start = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
	for _, c := range []struct {
		name, src string // what stands at the place begins behind "^"
		want      string
	}{
		{"indent", start + "      - run: a\n    ^- run: b\n", "neither beside nor below"},
		{"further in", "on: push\n  ^jobs:\n    a: {}\n", "further right"},
		{"entry", "on:\n  push:\n    branches:\n      - a\n     ^- b\n", "neither beside nor below"},
		{"quote", start + "      ^- name: \"Build \"all\"\"\n        run: a\n", "closing quote"},
		{"bracket", "^name: [old] CI\non: push\n", "closing quote or bracket"},
		{"dash", start + "      - run: a\n      ^-name: b\n        run: c\n", "dash"},
		{"colon", "^on:push\njobs: {}\n", "no space follows the colon"},
		{"colon above", "on:\n  ^push:main\n  pull_request:\n", "no space follows the colon"},
		{"word", start + "      - run: a\n        shell: bash\n^build\n", "neither a key nor an entry"},
		{"word above", "^stray\nname: CI\non: push\n", "neither a key nor an entry"},
		{"value", start + "      - name: Debug^: print\n        run: a\n", "without quotes"},
		{"deeper", start + "      - name: a\n          ^run: b\n", "further right"},
		{"expression", "on: push\njobs:\n  a:\n    runs-on: ^[self-hosted, ${{ matrix.os }}]\n", "expression stands in brackets"},
		{"at", start + "      - uses: x/y@v1\n        with:\n          ref: ^@main\n", "begins with @"},
		{"star", "on:\n  schedule:\n    - cron: ^* * * * *\n", "begins with *"},
		{"tab", start + "      - name: a\n^\t\t- name: b\n", "tab"},
		{"tab at a key", start + "      - name: a\n      - run: b\n        with:\n^\tx: y\n", "tab"},
		{"conflict", "on: push\n^<<<<<<< HEAD\njobs: {}\n=======\n>>>>>>> x\n", "merge"},
		{"script", start + "      - run: |\n          python - <<EOF\n^import json\n          EOF\n", "text of a block"},
		{"message", start + "      - run: |\n          git commit -m \"x\n\n^Issue: y\n\"\n          git push\n", "text of a block"},
		{"comment", start + "      - run: |\n          docker run \\\n^#           --rm \\\n          image\n", "text of a block"},
		{"first", start + "      - run: |\n^#          a\n          b\n", "text of a block"},
		{"beside", start + "      - run: |\n          a\n        ^shell: [b] c\n", "closing quote or bracket"},
		{"other", "on: push\nname: ^\"a\\?\"\n", "escape character"},
	} {
		before, after, _ := strings.Cut(c.src, "^")
		src := before + after
		d := Parse("x.yml", []byte(src))
		d.Model(nil)
		if d.text != nil {
			t.Errorf("%s: its place is looked for before it is asked for", c.name)
		}
		problems := d.Verdict(Config{}).Problems
		if len(problems) != 1 || problems[0].Family != "yaml" {
			t.Errorf("%s: %v", c.name, problems)
			continue
		}
		want := Pos{strings.Count(before, "\n") + 1, len(before) - strings.LastIndex(before, "\n")}
		if p := problems[0]; p.Pos != want || !strings.Contains(p.Message, c.want) {
			t.Errorf("%s: %d:%d %s, want %d:%d … %s …", c.name, p.Line, p.Column, p.Message, want.Line, want.Column, c.want)
		}
	}
}

// A file of a thousand lines is broken at its last one, or full of what might be
// a cut text: neither may take long.
func TestFault_inTime(t *testing.T) {
	for _, src := range []string{
		strings.Repeat("x: |\n", 100_000) + "y\n- z\n",
		"on: push\n" + strings.Repeat("k: v\n", 40_000) + "  z: 1\n",
		"a: |\n  b\n" + strings.Repeat("c\n", 200_000),
		"a:\n" + strings.Repeat("  - b\n", 100_000) + " c\n",
	} {
		begin := time.Now()
		if v := Parse("x.yml", []byte(src)).Verdict(Config{}); len(v.Problems) == 0 {
			t.Errorf("%.20q… is read", src)
		}
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("%.20q… took %v", src, took)
		}
	}
}
