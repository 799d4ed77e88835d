//go:build unix

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// readLimit is what reading any one snapshot may take on two cores.
const readLimit = 10 * time.Millisecond

// reading times the reading of whole snapshots within one process: without its
// start, and with the pages of the store checked already.
func (b *bench) reading(store string) (ok bool, err error) {
	if _, err := exec.LookPath("go"); err != nil {
		fmt.Println("snapshot read: skipped, there is no go on this machine")
		return true, nil
	}
	cmd := exec.Command("go", "test", "-run", "^$", "-bench", "LoadSnapshot", "-benchtime", "20x", "-count", "5", "./audit/pipeline", "-grow.from", store)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return false, fmt.Errorf("%v: %w\n%s", cmd.Args, err, out)
	}
	names, took, err := fastest(out)
	if err != nil {
		return false, err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "Snapshot read, best of 5\ttime\tlimit\t")
	ok = true
	for _, name := range names {
		mark := ""
		if took[name] > readLimit {
			ok, mark = false, " OVER"
		}
		fmt.Fprintf(w, "#%s\t%.1f ms%s\t%v\t\n", name, float64(took[name].Microseconds())/1000, mark, readLimit)
	}
	return ok, w.Flush()
}

// fastest reads what a benchmark printed: of each case the least time, in the order
// of the cases. The form: https://golang.org/design/14313-benchmark-format
func fastest(out []byte) (names []string, took map[string]time.Duration, err error) {
	took = map[string]time.Duration{}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) < 4 || !strings.HasPrefix(f[0], "Benchmark") || f[3] != "ns/op" {
			continue
		}
		_, name, _ := strings.Cut(f[0], "/")
		if i := strings.LastIndexByte(name, '-'); i >= 0 { // the number of cores
			name = name[:i]
		}
		name = strings.ReplaceAll(name, "_", " ")
		ns, err := strconv.ParseFloat(f[2], 64)
		if err != nil {
			return nil, nil, fmt.Errorf("%q: %w", lines.Text(), err)
		}
		if _, seen := took[name]; !seen {
			names, took[name] = append(names, name), math.MaxInt64
		}
		took[name] = min(took[name], time.Duration(ns))
	}
	if len(names) == 0 {
		return nil, nil, errors.New("the benchmark LoadSnapshot timed nothing")
	}
	return names, took, nil
}
