package pm2

import (
	"fmt"
	"maps"
	"slices"

	"healthaudit/snapshot"
	"healthaudit/snapshot/collect"
)

// survivorFacts are the processes that outlived the daemon of a home, in words, and
// whether there may be more, for a folder of pid files that cannot be read.
func (b *builder) survivorFacts(it *snapshot.Item, h *home) {
	if !h.dead() || h.daemon.procs == nil {
		return
	}
	var files, words []string
	for i := range h.dump {
		files = append(files, h.dump[i].PIDFile)
	}
	list, err := collect.Survivors(b.s.Host, h.path, files, slices.Collect(maps.Values(h.daemon.procs)))
	for _, s := range list {
		words = append(words, fmt.Sprintf("%s (process %d)", collect.PIDStem(s.File), s.PID))
	}
	if len(words) > 0 {
		it.Add(snapshot.Volatile, "survivors", snapshot.SetOf(words...))
	}
	if err != nil {
		it.Add(snapshot.Volatile, "survivors.unread", snapshot.Bool(true))
	}
}
