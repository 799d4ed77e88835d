//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"
)

// What must hold on two cores for a store of ten thousand snapshots.
var manyLimits = []struct {
	args  []string
	limit time.Duration
}{
	{[]string{"list"}, 50 * time.Millisecond},
	{[]string{"diff"}, 20 * time.Millisecond},
	{[]string{"report", "latest"}, 50 * time.Millisecond},
	{[]string{"history", "workflows/(file)"}, 100 * time.Millisecond},
}

// many times the reading of stores with many snapshots, which make bench makes.
func (b *bench) many() (ok bool, err error) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "Reading, best of 9\tstore in use\tlist\tdiff\treport\thistory\tpeak memory\t")
	names, err := filepath.Glob(filepath.Join(b.year, ".github", "workflows", "*.yml"))
	if err != nil {
		return false, err
	}
	if len(names) == 0 {
		return false, fmt.Errorf("%s has no workflow: make bench makes that project", b.year)
	}
	ok = true
	store := ""
	for _, n := range []int{100, 1000, 10000} {
		store = filepath.Join(filepath.Dir(b.year), fmt.Sprintf("many-%d.db", n))
		if _, err := os.Stat(store); err != nil {
			fmt.Printf("many snapshots: skipped, there is no %s (make bench makes it)\n", store)
			return true, nil
		}
		size, err := b.inUseOf(b.year, store)
		if err != nil {
			return false, err
		}
		fmt.Fprintf(w, "%d snapshots\t%.1f MB\t", n, float64(size)/1e6)
		memory := int64(0)
		for _, c := range manyLimits {
			args := append([]string{"--store", store}, c.args...)
			if c.args[0] == "history" {
				args[len(args)-1] = "workflows/" + filepath.Base(names[0])
			}
			s, err := best(9, func() (sample, error) { return b.time(b.year, b.env, b.audit, args...) })
			if err != nil {
				return false, err
			}
			mark := ""
			if s.wall > c.limit {
				ok, mark = false, " OVER"
			}
			memory = max(memory, s.memory)
			fmt.Fprintf(w, "%.1f ms%s\t", float64(s.wall.Microseconds())/1000, mark)
		}
		fmt.Fprintf(w, "%d MB\t\n", memory>>20)
	}
	fmt.Fprint(w, "limit\t\t")
	for _, c := range manyLimits {
		fmt.Fprintf(w, "%v\t", c.limit)
	}
	fmt.Fprintln(w, "\t")
	if err := w.Flush(); err != nil {
		return false, err
	}
	read, err := b.reading(store)
	return ok && read, err
}

// best runs n times and returns the fastest, with the highest memory of all.
func best(n int, run func() (sample, error)) (sample, error) {
	var b sample
	for i := range n {
		s, err := run()
		if err != nil {
			return s, err
		}
		memory := max(b.memory, s.memory)
		if i == 0 || s.wall < b.wall {
			b = s
		}
		b.memory = memory
	}
	return b, nil
}
