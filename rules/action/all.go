// Package action holds what recovery can do, one file per action. An action is
// a value with its documentation; it says what would be done and does nothing:
// plans are carried out, verified and undone by rules and pipeline.
package action

import "healthaudit/rules"

// All returns every action, by id.
func All() []*rules.Action {
	return []*rules.Action{Command, FileRestore, LitterArchive, ManifestRegenerate, PM2Reload, PM2Restart, PM2Resurrect, PM2RotateLogs, PM2Save, PM2Scale, PM2Start, PM2Untangle}
}
