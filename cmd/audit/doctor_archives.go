package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"healthaudit/audit/pipeline"
	"healthaudit/report"
	"healthaudit/snapshot/archive"
)

// archives tells of those that the store made under another name and that
// archive.keep leaves: nothing else ever says that they are there.
func (d *physician) archives() {
	made, err := d.sums()
	if err != nil || len(made) == 0 { // the store itself is told of elsewhere
		return
	}
	own := archive.Owner(d.host.Name(), d.host.Root())
	for _, dir := range folders(&d.pipeline.Backups) {
		list, err := archive.List(dir)
		if err != nil {
			d.wrong("archives", err)
			continue
		}
		n, bytes, names := 0, int64(0), map[string]bool{}
		for _, h := range list {
			if h.Owner != own && made[h.File] != "" {
				n, bytes, names[h.Owner] = n+1, bytes+h.Bytes, true
			}
		}
		if n > 0 && !pipeline.Beside(d.host.Root(), d.Store, dir) {
			d.note("archives", fmt.Sprintf("%s in %s (%s), made before the project was moved or its host renamed, or by the project that this store is a copy of: archive.keep leaves them there", counted(n, "archive"), dir, report.Size(bytes)),
				"remove those that nobody needs: their names begin with "+some(slices.Sorted(maps.Keys(names))))
		}
	}
}

// some names the first three of a list.
func some(names []string) string {
	if more := len(names) - 3; more > 0 {
		return fmt.Sprintf("%s and %d other names", strings.Join(names[:3], ", "), more)
	}
	return strings.Join(names, ", ")
}
