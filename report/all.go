package report

import (
	"fmt"
	"strings"
)

// All are the formats, the default one first.
var All = []*Renderer{Table, JSON, JUnit, SARIF, Prometheus, CSV}

// Find returns the format of that name; the error names those there are.
func Find(name string) (*Renderer, error) {
	names := make([]string, len(All))
	for i, r := range All {
		if r.Name == name {
			return r, nil
		}
		names[i] = r.Name
	}
	return nil, fmt.Errorf("unknown format %q (one of %s)", name, strings.Join(names, ", "))
}
