package workflow

import (
	"testing"

	"healthaudit/audit/check/checktest"
	collect "healthaudit/snapshot/collect/workflow"
)

func TestCases(t *testing.T) { checktest.Run(t, All, collect.Collector) }
