// Package self judges the audit itself: what it could not see, and what it no
// longer sees.
package self

import (
	"healthaudit/audit"
)

// All lists the checks of the package.
var All = []*audit.Check{SystemUnreadable, ItemVanished, ExpectedMissing, InventoryEmpty, CheckCrashed, WaiverInvalid, WaiverExpired, WaiverUnused, RunsMissed, ClockBackwards, StoreLarge, JournalBroken, RestoreInterrupted, ArchiveFailed, DrillDue,
	RecoveryExhausted, RecoveryBreaker, RollbackFailed, PluginFailed, HookFailed}
