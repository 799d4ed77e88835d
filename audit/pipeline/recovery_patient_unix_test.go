//go:build unix

package pipeline

import (
	"bytes"
	"context"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"healthaudit/audit"
	"healthaudit/audit/check"
	"healthaudit/report"
	"healthaudit/rules"
	"healthaudit/snapshot"
	"healthaudit/snapshot/collect/all"
	"healthaudit/snapshot/collect/collecttest"
	"healthaudit/snapshot/collect/pm2/pm2test"
	"healthaudit/snapshot/host"
)

// Hand is a hand that dies before or after everything that it does.
func (k *killer) Hand() *rules.Hand {
	h := *k.Site.Hand()
	h.Host = killerHost{h.Host, k}
	open := h.Folder
	h.Folder = func(dir string) (rules.Folder, error) {
		f, err := open(dir)
		return killerFolder{f, k}, err
	}
	return &h
}

type killerHost struct {
	host.Host
	k *killer
}

func (h killerHost) Dial(ctx context.Context, socket string) (net.Conn, error) {
	c, err := h.Host.Dial(ctx, socket)
	return &killerConn{Conn: c, k: h.k}, err
}

func (h killerHost) Run(ctx context.Context, c host.Command) (host.Result, error) {
	h.k.tick()
	defer h.k.tick()
	return h.Host.Run(ctx, c)
}

// A killerConn dies before a call is sent, before its answer is read, and after.
type killerConn struct {
	net.Conn
	k    *killer
	acts bool
}

func (c *killerConn) Write(b []byte) (int, error) {
	if c.acts = !bytes.Contains(b, []byte(`"getMonitorData"`)); !c.acts {
		return c.Conn.Write(b)
	}
	c.k.tick()
	defer c.k.tick()
	return c.Conn.Write(b)
}

func (c *killerConn) Close() error {
	if c.acts {
		c.k.tick()
	}
	return c.Conn.Close()
}

type killerFolder struct {
	rules.Folder
	k *killer
}

func (f killerFolder) OpenFile(name string, flag int, perm fs.FileMode) (*os.File, error) {
	if flag&os.O_CREATE != 0 {
		f.k.tick()
		defer f.k.tick()
	}
	return f.Folder.OpenFile(name, flag, perm)
}

func (f killerFolder) Rename(from, to string) error {
	f.k.tick()
	defer f.k.tick()
	return f.Folder.Rename(from, to)
}

func (f killerFolder) Remove(name string) error {
	f.k.tick()
	defer f.k.tick()
	return f.Folder.Remove(name)
}

// A patient is a project whose PM2 is played.
type patient struct {
	*pm2test.Fake
	t     *testing.T
	root  string
	rules string
	clock sync.Mutex // collectors ask for the time side by side
	now   time.Time
}

// tick is the time of a clock that moves whenever it is looked at.
func (p *patient) tick() time.Time {
	p.clock.Lock()
	defer p.clock.Unlock()
	p.now = p.now.Add(time.Millisecond)
	return p.now
}

func (p *patient) runner(mode string) *Runner {
	p.t.Helper()
	h, err := host.New(p.root, func(k string) string {
		return map[string]string{"PATH": p.Home + "/bin:" + os.Getenv("PATH"), "HOME": p.Home, "PM2_HOME": p.Home}[k]
	}, p.tick)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { h.Close() })
	set, err := rules.Parse("audit.rules.yaml", []byte(wardHead+p.rules), vocabulary())
	if err != nil {
		p.t.Fatal(err)
	}
	set.Trust()
	limits := map[string]float64{"pm2-logs-grow.mb": 0.0001}
	return &Runner{Host: h, Config: &Config{Only: []snapshot.System{snapshot.PM2}, Limits: limits, Severity: map[string]audit.Severity{"pm2-dump-stale": audit.High}}, Collectors: all.Collectors, Checks: check.All(),
		Store: filepath.Join(p.root, ".audit", "audit.db"), Version: "test", Recovery: mode, Rules: set,
		hand: func(h *rules.Hand) *rules.Hand { h.Pause = func(context.Context, time.Duration) {}; return h }}
}

func (p *patient) run(mode string) *report.Document {
	p.t.Helper()
	p.now = p.now.Add(15 * time.Minute)
	doc, err := p.runner(mode).Run(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	return doc
}

func (p *patient) write(name, text string) {
	p.t.Helper()
	collecttest.WriteFile(p.t, p.Home, name, []byte(text))
}
