//go:build unix

package pm2

import (
	"fmt"
	"io"
	"io/fs"
	"net"
	"path/filepath"
	"testing"
)

// daemonMethods is every method that a PM2 daemon of any version offers
// (lib/Daemon.js server.expose of 3.5.2 to 7.0.4), the words that its RPC reacts
// to, and some that never were.
var daemonMethods = []string{
	"getMonitorData", "getVersion", "ping", "getReport", "getSystemData", "restartProcessId", "reloadProcessId", "softReloadProcessId", "startProcessId",
	"stopProcessId", "deleteProcessId", "duplicateProcessId", "resetMetaProcessId", "reloadLogs", "stopWatch", "startWatch", "toggleWatch", "prepare",
	"sendSignalToProcessId", "sendSignalToProcessName", "notifyKillPM2", "killMe", "monitor", "unmonitor", "msgProcess", "sendDataToProcessId",
	"sendLineToStdin", "notifyByProcessId", "profileCPU", "profileMEM", "launchSysMonitoring", "methods", "call", "constructor", "__proto__", "", "GETVERSION",
}

// Nothing but the two allowed calls with their one argument reaches a socket.
func TestClient_sendsNothingElse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	arrived := make(chan []byte, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			arrived <- []byte(err.Error())
			return
		}
		b, _ := io.ReadAll(conn)
		arrived <- b
	}()
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	c, err := newClient(t.Context(), conn)
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for _, m := range daemonMethods {
		for n := range 4 {
			if allowed[m] == n && n > 0 {
				continue
			}
			if _, err := c.send(m, make([]struct{}, n)...); err == nil {
				t.Errorf("%q with %d arguments is not refused", m, n)
			}
			refused++
		}
	}
	conn.Close()
	if b := <-arrived; len(b) > 0 {
		t.Errorf("%d bytes arrived: %q", len(b), b)
	}
	t.Logf("%d calls refused, no byte sent", refused)
}

// A home without anything, and one that nobody can reach by its socket, are
// said to be so; nothing is made in them.
func TestCollect_homeLayouts(t *testing.T) {
	long := filepath.Join("a-folder-whose-name-is-long-enough-to-pass-the-length-that-a-socket-may-have", "and-one-more-below-it", ".pm2")
	for _, c := range []struct{ title, home, files, state string }{
		{"none", ".pm2", "", ""},
		{"empty", ".pm2", "-- .no-home/.pm2/logs/x --\n", ""},
		{"a pid of nobody", ".pm2", "-- .no-home/.pm2/pm2.pid --\n4194304\n", crashed},
		{"a pid file of nonsense", ".pm2", "-- .no-home/.pm2/pm2.pid --\n99999999999999999999999999\n", crashed},
		{"a socket that is a file", ".pm2", "-- .no-home/.pm2/rpc.sock --\n", staleSocket},
		{"a path too long for a socket", long, "-- .no-home/" + filepath.ToSlash(long) + "/dump.pm2 --\n[{\"name\": \"api\"}]\n", unknown},
	} {
		t.Run(c.title, func(t *testing.T) {
			s := session(t, c.files)
			home := filepath.Join(s.Config.HomeFolder, c.home)
			if c.home != ".pm2" {
				s.Config.PM2Homes = []string{home}
			}
			before := listing(s.Config.HomeFolder)
			res := collected(t, s)
			if got := state(res, "pm2/daemon"); got != c.state && (c.state != "" || !res.Absent) {
				t.Errorf("state %s, want %s", got, c.state)
			}
			if after := listing(s.Config.HomeFolder); after != before {
				t.Errorf("before\n%s\nafter\n%s", before, after)
			}
			if it := itemOf(res, "pm2/daemon"); c.state == unknown && (it == nil || it.Unknown == "") {
				t.Errorf("an unreachable daemon is judged: %+v", it)
			}
		})
	}
}

// listing names what stands below a folder, with modes and sizes.
func listing(dir string) (out string) {
	_ = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil {
			if info, err := d.Info(); err == nil {
				out += fmt.Sprintf("%s %s %d\n", p, info.Mode(), info.Size())
			}
		}
		return nil
	})
	return out
}
