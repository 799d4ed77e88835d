package script

import (
	"fmt"
	"strings"
	"testing"

	"healthaudit/snapshot"
	"healthaudit/snapshot/collect/collecttest"
)

// A crontab whose lines lack their user is one; it is its schedule that says whether
// a line runs.
func TestCollect_crontabUsers(t *testing.T) {
	for _, c := range []struct{ name, file, text, want string }{
		{"no line has its user", "etc/cron.d/app", "*/5 * * * * /srv/app/tick\n0 3 * * * cd /srv/app && ./nightly\n",
			"*/5 * * * * false no user stands before its command; 0 3 * * * false no user stands before its command"},
		{"the only line is a command of one word", "etc/cron.d/app", "0 3 * * * nightly\n", "0 3 * * * false no user stands before its command"},
		{"lines of Windows", "etc/cron.d/app", "# nightly\r\n0 3 * * * cd /srv/app && ./nightly\r\n", "0 3 * * * false no user stands before its command"},
		{"a user in the crontab of one, which cron runs as it is", "crontab", "*/5 * * * * root /x y\n5 5 * * * /srv/z\n", "*/5 * * * * true; 5 5 * * * true"},
		{"a schedule that is none", "crontab", "0 25 * * * /x y\n5 5 * * * /srv/z\n", "0 25 * * * false cron does not understand it; 5 5 * * * true"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := session(t, "")
			collecttest.WriteFile(t, s.Host.Root(), c.file, []byte(c.text))
			snap := collecttest.Snapshot(t, collecttest.Session(t, s.Host.Root()), Collector)
			lines := map[int]string{}
			for _, it := range snap.Items {
				for _, sc := range it.Schedules {
					lines[sc.Line] = strings.TrimSpace(fmt.Sprint(sc.Expression, " ", sc.Effective, " ", sc.Why))
				}
			}
			var got []string
			for n := range strings.Count(c.text, "\n") + 1 {
				if lines[n] != "" {
					got = append(got, lines[n])
				}
			}
			if strings.Join(got, "; ") != c.want || snap.Item(snapshot.NewKey(snapshot.Scripts, "file:"+snapshot.Escape(c.file))) == nil {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
