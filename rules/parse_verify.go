package rules

import (
	"fmt"
	"time"

	"healthaudit/audit/condition"
)

// verifyTimeout is how long an action may take to help when verify says nothing of it.
const verifyTimeout = 30 * time.Second

// verify reads how it is told whether an action helped; what a rule does not
// say, the defaults do.
func (r *reader) verify(at string, rule *Rule, docs ...*verifyDoc) error {
	said := false
	for i, d := range docs {
		if d == nil {
			continue
		}
		at := at + ".verify"
		if i == 0 {
			at = "$.defaults.verify"
		}
		if !said {
			rule.Verify.Timeout, said = verifyTimeout, true
		}
		if d.Expect != "" {
			c, err := condition.Compile(d.Expect, r.v.Vocabulary)
			if err != nil {
				return r.condition(at, "expect", d.Expect, err)
			}
			rule.Verify.Expect = &c
		}
		for _, f := range []struct {
			key  string
			text span
			into *time.Duration
		}{{"after", d.After, &rule.Verify.After}, {"timeout", d.Timeout, &rule.Verify.Timeout}} {
			if f.text == "" {
				continue
			}
			var err error
			if *f.into, err = f.text.parse(); err == nil && *f.into > maxVerify {
				err = fmt.Errorf("%s is longer than %s", f.text, maxVerify)
			}
			if err != nil {
				return r.fail(at+"."+f.key, f.key+": "+err.Error(), "")
			}
		}
	}
	return nil
}

// maxVerify is the longest that an action may take to help: meanwhile nothing
// else is done about its item.
const maxVerify = 7 * 24 * time.Hour
