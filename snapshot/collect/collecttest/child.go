package collecttest

import (
	"context"
	"errors"
	"os"
	"slices"
	"testing"

	"healthaudit/snapshot/analyze/ecosystem"
	"healthaudit/snapshot/host"
)

// plays is true where the test binary is its own evaluator child, as audit is.
var plays bool

// Main is what TestMain does in a package whose tests collect process files of
// PM2 in JavaScript: as the child that evaluates one, the binary runs no tests.
func Main(m *testing.M) {
	if slices.Contains(os.Args, "evaluate-ecosystem") {
		os.Exit(ecosystem.Child(os.Stdin, os.Stdout))
	}
	plays = true
	os.Exit(m.Run())
}

// A machine is the host of a session: it starts this binary only where it plays
// the child. Without Main each child would run all tests, and start the next.
type machine struct {
	host.Host
	t testing.TB
}

func (m machine) Run(ctx context.Context, c host.Command) (host.Result, error) {
	if c.Program == host.Self && !plays {
		m.t.Error("a process file in JavaScript is evaluated: write func TestMain(m *testing.M) { collecttest.Main(m) }")
		return host.Result{}, errors.New("this test binary is no audit")
	}
	return m.Host.Run(ctx, c)
}
