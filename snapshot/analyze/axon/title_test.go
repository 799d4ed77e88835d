package axon

import "testing"

func TestIsRuntime(t *testing.T) {
	for name, want := range map[string]bool{
		"node": true, "nodejs": true, "node-22": true, "node-MainThread": true, "node /srv/app.j": true, "MainThread": true, "bun": true, "deno": true,
		"": false, "bundle": false, "sh": false, "PM2 v7.0.4: God": false,
	} {
		if got := IsRuntime(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}

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
