package main

import (
	"slices"
	"strings"
)

// nearestName returns the only candidate that begins with s, else the one that
// is at most a third of the letters away.
func nearestName(s string, names []string) string {
	begin := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return s == "" || !strings.HasPrefix(n, s) })
	if len(begin) == 1 {
		return begin[0]
	}
	best, dist := "", len(s)/3+2
	for _, n := range names {
		if d := distance(s, n); d < dist {
			best, dist = n, d
		}
	}
	return best
}

// distance is the Levenshtein distance in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diag := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diag
			if a[i] != b[j] {
				cost++
			}
			diag = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
