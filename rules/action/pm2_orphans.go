package action

import (
	"fmt"

	"healthaudit/rules"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/host"
)

// orphans refuses when a process runs that the dead daemon had started: it would
// run twice.
func orphans(h host.Host, home string, entries []dumped) error {
	table, err := h.Processes(nil)
	if err != nil {
		return &rules.Refusal{Why: "this platform does not tell what runs: apps might run twice"}
	}
	var files []string
	for _, e := range entries {
		files = append(files, e.get("pm_pid_path").Str)
	}
	list, err := collect.Survivors(h, home, files, table)
	if err != nil || len(list) == 0 {
		return err
	}
	s := list[0]
	return &rules.Refusal{Why: fmt.Sprintf("process %d, which PM2 started, still runs without it (%s): it would run twice", s.PID, s.File), Hint: fmt.Sprintf("end it first: kill %d", s.PID)}
}
