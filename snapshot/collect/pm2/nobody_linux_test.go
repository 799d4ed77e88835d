package pm2

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"healthaudit/snapshot"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/collect/collecttest"
)

// asNobody runs f with the file rights of an unprivileged user: the thread's
// fsuid takes root's capabilities over files with it (setfsuid(2),
// capabilities(7)).
func asNobody(t *testing.T, f func()) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()                             // never unlocked: the thread ends with the goroutine
		syscall.RawSyscall(syscall.SYS_SETGROUPS, 0, 0, 0) // the group may write to PM2's socket
		syscall.RawSyscall(syscall.SYS_SETFSGID, 65534, 0, 0)
		syscall.RawSyscall(syscall.SYS_SETFSUID, 65534, 0, 0)
		f()
	}()
	<-done
}

// The home of another user: its socket and its dump say no, and that is unknown.
func TestCollect_homeOfAnotherUser(t *testing.T) {
	for _, c := range []struct {
		title    string
		home     os.FileMode // of the folder
		dumpKnow bool
	}{
		{"a folder that may be read", 0o755, true},
		{"a folder that is closed", 0o700, false},
	} {
		t.Run(c.title, func(t *testing.T) {
			s := session(t, "-- ecosystem.json --\n{\"apps\": [{\"name\": \"api\", \"script\": \"api.js\"}]}\n-- api.js --\n") // plain JSON needs no child
			home, err := os.MkdirTemp("", "p")
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(home)
			l, err := net.Listen("unix", filepath.Join(home, "rpc.sock"))
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			for name, mode := range map[string]os.FileMode{"rpc.sock": 0o755, "": c.home} {
				if err := os.Chmod(filepath.Join(home, name), mode); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(filepath.Join(home, "dump.pm2"), []byte(`[{"name": "api"}]`), 0o644); err != nil {
				t.Fatal(err)
			}
			s.Config.PM2Homes = []string{home}
			for _, p := range []string{s.Host.Root(), filepath.Dir(s.Host.Root())} { // the project itself may be read
				if err := os.Chmod(p, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			asNobody(t, func() {
				res, err := Collector.Collect(t.Context(), s)
				if err != nil {
					t.Error(err)
					return
				}
				if got := state(res, "pm2/daemon"); got != forbidden || itemOf(res, "pm2/daemon").Unknown == "" {
					t.Errorf("the daemon is %s", got)
				}
				if it := itemOf(res, "pm2/api"); it == nil || it.Unknown == "" || it.State != "" {
					t.Errorf("an app of another user's daemon is judged: %+v", it)
				}
				for _, src := range res.Sources {
					if strings.HasPrefix(src.Name, runtimeSource) && (src.OK || src.Hint == "") || strings.HasPrefix(src.Name, dumpSource) && src.OK != c.dumpKnow {
						t.Errorf("%+v", src)
					}
				}
			})
		})
	}
}

// The daemon of another user cannot be asked: that is unknown, and nothing of it
// is taken for gone.
func TestRealPM2_ofAnotherUser(t *testing.T) {
	r := newReal(t)
	collecttest.Write(t, r.tree, "-- ecosystem.json --\n{\"apps\": [{\"name\": \"api\", \"script\": \"healthy.js\"}]}\n-- healthy.js --\nsetInterval(() => {}, 1000)\n")
	r.pm2("start", "ecosystem.json")
	r.pm2("save")
	first := r.until("it is online", func(res collect.Result) bool { return state(res, "pm2/api") == "online" })
	for _, p := range []string{r.home, r.tree, filepath.Dir(r.tree)} { // of the home only the socket says no
		if err := os.Chmod(p, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	s := r.session()
	s.Previous = &snapshot.Snapshot{Items: first.Items}
	asNobody(t, func() {
		res, err := Collector.Collect(t.Context(), s)
		if err != nil {
			t.Error(err)
			return
		}
		if got := state(res, "pm2/daemon"); got != forbidden {
			t.Errorf("the daemon is %s", got)
		}
		failed := slices.ContainsFunc(res.Sources, func(s snapshot.Source) bool {
			return s.Name == runtimeSource+r.home && !s.OK && strings.Contains(s.Hint, "as the user who owns")
		})
		if it := itemOf(res, "pm2/api"); it != nil || !failed { // carried as it was last seen
			t.Errorf("the app %+v, sources %+v", it, res.Sources)
		}
	})
	if daemons, apps := r.Processes(); len(daemons) != 1 || len(apps) != 1 {
		t.Errorf("%d daemons and %d apps run afterwards", len(daemons), len(apps))
	}
}
