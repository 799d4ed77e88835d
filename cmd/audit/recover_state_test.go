package main

import (
	"strings"
	"testing"

	"healthaudit/audit/pipeline"
	"healthaudit/rules"
)

// Whose rule was stopped by an action that came to nothing is told what lets it
// act again.
func TestOnward(t *testing.T) {
	e := rules.Entry{Item: "pm2/api", Data: map[string]string{"rule": "start"}}
	if got := onward(e, &pipeline.NothingError{Held: true}); !strings.Contains(got, "audit recover reset start pm2/api lets its rule act again") {
		t.Error(got)
	}
	if got := onward(e, &pipeline.NothingError{}); got != "its rule goes on as before" {
		t.Error(got)
	}
}
