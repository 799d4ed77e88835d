// Command genproject writes the project that the benchmark audits: 2,000
// workflows, 450 functions and 4,000 scripts in a git repository, of the sizes
// and shapes that grown projects have. The same seed gives the same bytes.
//
// Usage: genproject [-seed N] [-shape grown|scripts|year] DIR
//
// The shape "scripts" is mostly that: 4,000 script files, 300 npm scripts and 70
// schedules, and of the rest enough for who starts whom. The shape "year" is the smaller project whose store is followed over a year of
// changes: 2,000 items in 20 MB.
//
// A DIR that already holds the project of that seed is left as it is.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A shape is how many of what a project has. The scripts are the sum of files
// and npm scripts.
type shape struct {
	workflows, functions    int
	shells, nodes, pythons  int
	packages                int     // package.json files, the root's among them
	npm                     int     // npm scripts in each
	apps                    int     // in ecosystem.config.js
	crons                   int     // lines of the crontab
	median, spread, largest float64 // of a file's size: bytes, sigma of its logarithm, bytes
}

var shapes = map[string]shape{
	"grown":   {2000, 450, 1200, 1000, 800, 40, 25, 24, 60, 3000, 0.6, 40000},
	"scripts": {20, 20, 1700, 1400, 900, 12, 25, 30, 63, 3000, 0.6, 40000},
	"year":    {500, 600, 300, 250, 200, 6, 25, 20, 20, 4600, 1.23, 900e3},
}

// formatStamp is raised when the output changes.
const formatStamp = "genproject 1"

func main() {
	seed := flag.Uint64("seed", 1, "chooses the content")
	name := flag.String("shape", "grown", "grown, scripts or year")
	flag.Parse()
	of, ok := shapes[*name]
	if flag.NArg() != 1 || !ok {
		fmt.Fprintln(os.Stderr, "usage: genproject [-seed N] [-shape grown|scripts|year] DIR")
		os.Exit(64)
	}
	if err := run(flag.Arg(0), *seed, *name, of); err != nil {
		fmt.Fprintln(os.Stderr, "genproject:", err)
		os.Exit(1)
	}
}

func run(dir string, seed uint64, name string, of shape) error {
	stamp := fmt.Sprintf("%s %s seed %d\n", formatStamp, name, seed)
	stampFile := dir + ".stamp"
	if b, err := os.ReadFile(stampFile); err == nil && string(b) == stamp {
		return nil
	}
	if _, err := os.Stat(dir); err == nil {
		if _, err := os.Stat(stampFile); err != nil {
			return fmt.Errorf("%s is there and was not made by genproject", dir)
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	p := &project{dir: dir, shape: of, rng: newRand(seed)}
	p.generate()
	if p.err != nil {
		return p.err
	}
	if err := commit(dir); err != nil {
		return err
	}
	fmt.Printf("%s: %d files, %.1f MB, %d workflows, %d functions, %d scripts\n",
		dir, p.files, float64(p.bytes)/1e6, of.workflows, of.functions, of.shells+of.nodes+of.pythons+of.packages*of.npm)
	return os.WriteFile(stampFile, []byte(stamp), 0o644)
}

// commit makes one commit with a fixed author and time, where there is git.
func commit(dir string) error {
	if _, err := exec.LookPath("git"); err != nil {
		fmt.Fprintln(os.Stderr, "genproject: no git here, a plain folder then")
		return nil
	}
	for _, args := range [][]string{
		{"-c", "init.defaultBranch=main", "init", "-q"},
		{"add", "-A"},
		{"-c", "commit.gpgsign=false", "commit", "-q", "-m", "A grown project"},
	} {
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull,
			"GIT_AUTHOR_NAME=Bench", "GIT_AUTHOR_EMAIL=bench@example.org", "GIT_AUTHOR_DATE=2026-10-01T08:00:00Z",
			"GIT_COMMITTER_NAME=Bench", "GIT_COMMITTER_EMAIL=bench@example.org", "GIT_COMMITTER_DATE=2026-10-01T08:00:00Z")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, out)
		}
	}
	return nil
}

// write adds one file; the first error ends everything that follows.
func (p *project) write(name, content string, mode os.FileMode) {
	if p.err != nil {
		return
	}
	path := filepath.Join(p.dir, filepath.FromSlash(name))
	if p.err = os.MkdirAll(filepath.Dir(path), 0o755); p.err != nil {
		return
	}
	p.err = os.WriteFile(path, []byte(content), mode)
	p.files++
	p.bytes += len(content)
}
