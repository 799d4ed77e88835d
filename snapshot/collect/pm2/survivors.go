package pm2

import (
	"fmt"
	"maps"
	"slices"

	"healthaudit/snapshot"
	"healthaudit/snapshot/collect"
)

// survivors are the processes that outlived the daemon of a home, in words.
func (b *builder) survivors(h *home) (words []string) {
	if !h.dead() || h.daemon.procs == nil {
		return nil
	}
	var files []string
	for i := range h.dump {
		files = append(files, h.dump[i].PIDFile)
	}
	list, err := collect.Survivors(b.s.Host, h.path, files, slices.Collect(maps.Values(h.daemon.procs)))
	if err != nil {
		return nil
	}
	for _, s := range list {
		words = append(words, fmt.Sprintf("%s (process %d)", collect.PIDStem(s.File), s.PID))
	}
	return words
}

func (b *builder) survivorFacts(it *snapshot.Item, h *home) {
	if words := b.survivors(h); len(words) > 0 {
		it.Add(snapshot.Volatile, "survivors", snapshot.SetOf(words...))
	}
}
