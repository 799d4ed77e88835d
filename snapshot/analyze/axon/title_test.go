package axon

import "testing"

func TestIsDaemon(t *testing.T) {
	real := func(p string) string {
		if p == "/link" {
			return "/home/u/.pm2"
		}
		return p
	}
	for title, want := range map[string]bool{
		"PM2 v7.0.4: God Daemon (/home/u/.pm2)":         true,
		"PM2 v7.0.4: God Daemon (/home/u/.pm2/)":        true,
		"PM2 v7.0.4: God Daemon (/link)":                true,
		"PM2 v7.0.4: God Daemon (/home/u/.p":            true, // cut by Node
		"PM2 v7.0.4: God Daemon (/home/u/.pm2-staging)": false,
		"PM2 v7.0.4: God Daemon (/home/v/.pm2)":         false,
		"PM2 v7.0.4: God Daemon (":                      false,
		"vi PM2 v7.0.4: God Daemon (/home/u/.pm2)":      false,
		"node server.js":                                false,
	} {
		if got := IsDaemon(title, "/home/u/.pm2", real); got != want {
			t.Errorf("%q: %v", title, got)
		}
	}
}
