package function

import (
	"testing"

	"healthaudit/snapshot/analyze/netlify"
)

// Keys of several reasons have each its own.
func TestUnheeded(t *testing.T) {
	for _, c := range []struct {
		list []netlify.Unheeded
		want string
	}{
		{[]netlify.Unheeded{{Key: "cron", Why: "a"}}, "config.cron of hello does not take effect: a"},
		{[]netlify.Unheeded{{Key: "paths", Why: "a"}, {Key: "timezone", Why: "b"}, {Key: "routes", Why: "a"}},
			"config.paths, config.routes of hello do not take effect: a; config.timezone does not either: b"},
	} {
		if got := unheeded("hello", c.list); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}
