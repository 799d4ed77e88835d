package workflow

import (
	"bytes"
	"slices"
	"strings"

	"healthaudit/snapshot/analyze/lazyregexp"
	"healthaudit/snapshot/analyze/mask"
)

var (
	salvageName = lazyregexp.New(`^name:\s*(.+?)\s*$`)
	salvageCron = lazyregexp.New(`^\s*-?\s*cron:\s*(?:'([^']*)'|"([^"]*)"|([^#]*?))\s*(?:#.*)?$`)
	salvageUses = lazyregexp.New(`^\s*-?\s*uses:\s*['"]?([A-Za-z0-9_./$-]+(?:@[A-Za-z0-9_./-]+)?)['"]?\s*(?:#.*)?$`)
)

// salvage reads line by line what is worth keeping of a file that does not
// parse, so that a broken file does not look as if its schedule had been taken
// away: the name, the crons, and what it uses.
func (d *Document) salvage(m *Model) {
	m.Broken = true
	line := 0
	for raw := range bytes.Lines(d.src) {
		line++
		if len(raw) > 1000 {
			continue
		}
		s := mask.Credentials(strings.ToValidUTF8(strings.TrimRight(string(raw), "\r\n"), ""))
		if g := salvageName().FindStringSubmatch(s); g != nil && m.Name == "" {
			m.Name = strings.Trim(g[1], `"'`)
		} else if g := salvageCron().FindStringSubmatch(s); g != nil {
			if cron := strings.TrimSpace(g[1] + g[2] + g[3]); cron != "" && len(m.Schedules) < 100 {
				m.Schedules = append(m.Schedules, Schedule{Cron: cron, Pos: Pos{line, strings.Index(s, "cron") + 1}})
			}
		} else if g := salvageUses().FindStringSubmatch(s); g != nil && len(m.Uses) < 1000 {
			m.Uses = append(m.Uses, g[1])
		}
	}
	slices.Sort(m.Uses)
	m.Uses = slices.Compact(m.Uses)
}
