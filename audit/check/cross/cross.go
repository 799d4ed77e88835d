// Package cross judges what lies between the systems.
package cross

import (
	"healthaudit/audit"
)

// All lists the checks of the package.
var All = []*audit.Check{BackupLitter, SameJob, CommittedEnv, CommittedLogs, NodeDrift, PileUp, FakeSuccess, UnsupervisedPush, BlindSupervision, MachinePath, SameLog, Overlap, SelfFeeding, MissingName, IgnoredFile, ScheduleOdd}
