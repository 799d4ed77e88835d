// Package action holds what recovery can do, one file per action. An action is
// a value with its documentation. Prepare says what would be done and does
// nothing; files are then written, verified and put back by rules and pipeline,
// and deeds carried out here, by what the pipeline hands over.
//
// Invariants: no value of a variable, no argument and no content of PM2's dump
// leaves this package but into PM2; a daemon gets no call outside of orders; the
// pm2 command is run by pm2.resurrect alone.
package action

import "healthaudit/rules"

// All returns every action, by id.
func All() []*rules.Action {
	return []*rules.Action{Command, FileRestore, LitterArchive, ManifestRegenerate, PM2Reload, PM2Restart, PM2Resurrect, PM2RotateLogs, PM2Save, PM2Scale, PM2Start, PM2Untangle}
}
