// Package check lists every check. Each is one file in the folder of its
// system, and a value that carries its own documentation.
package check

import (
	"slices"

	"healthaudit/audit"
	"healthaudit/audit/check/cross"
	"healthaudit/audit/check/function"
	"healthaudit/audit/check/pm2"
	"healthaudit/audit/check/script"
	"healthaudit/audit/check/self"
	"healthaudit/audit/check/workflow"
)

// All returns every check, in the order of the systems.
func All() []*audit.Check {
	return slices.Concat(pm2.All, workflow.All, function.All, script.All, cross.All, self.All)
}
