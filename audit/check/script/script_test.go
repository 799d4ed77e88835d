package script

import (
	"testing"

	"healthaudit/audit/check/checktest"
	"healthaudit/snapshot/collect/script"
)

func TestCases(t *testing.T) { checktest.Run(t, All, script.Collector) }
