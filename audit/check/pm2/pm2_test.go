package pm2_test

import (
	"os"
	"slices"
	"testing"

	"healthaudit/audit/check/checktest"
	checks "healthaudit/audit/check/pm2"
	"healthaudit/snapshot/analyze/ecosystem"
	"healthaudit/snapshot/collect/pm2"
)

// The test binary is its own evaluator child, as audit is.
func TestMain(m *testing.M) {
	if slices.Contains(os.Args, "evaluate-ecosystem") {
		os.Exit(ecosystem.Child(os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

func TestCases(t *testing.T) { checktest.Run(t, checks.All, pm2.Collector) }
