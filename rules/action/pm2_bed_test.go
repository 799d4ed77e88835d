//go:build unix

package action

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"testing"
	"time"

	"healthaudit/rules"
	"healthaudit/snapshot"
	"healthaudit/snapshot/collect/pm2/pm2test"
	"healthaudit/snapshot/host"
)

// A bed is a daemon that plays PM2, and what actions ask and act with.
type bed struct {
	*pm2test.Fake
	past
	t    *testing.T
	host host.Host
	snap *snapshot.Snapshot

	untrusted bool // the rules lie in the project
}

func (b *bed) Host() host.Host { return b.host }

func newBed(t *testing.T) *bed {
	t.Helper()
	b := &bed{Fake: pm2test.NewFake(t, "rpc.sock"), t: t, snap: &snapshot.Snapshot{}}
	h, err := host.New(t.TempDir(), os.Getenv, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	b.host = h
	b.see(&snapshot.Item{Key: "pm2/daemon", Name: "PM2 daemon", Kind: "daemon", Source: "daemon:" + b.Home, State: "alive"})
	return b
}

// see adds an item to the snapshot.
func (b *bed) see(it *snapshot.Item) *snapshot.Item {
	it.Sort()
	b.snap.Items = append(slices.DeleteFunc(b.snap.Items, func(o *snapshot.Item) bool { return o.Key == it.Key }), it)
	b.snap.Sort()
	return it
}

// app is the item of an app of the daemon, with texts as facts.
func (b *bed) app(name, state string, facts ...string) *snapshot.Item {
	it := &snapshot.Item{Key: snapshot.Key("pm2/" + name), Name: name, Kind: "app", Source: "runtime:" + b.Home, State: state}
	for i := 0; i+1 < len(facts); i += 2 {
		it.Add(snapshot.Volatile, facts[i], snapshot.SetOf(facts[i+1]))
	}
	return b.see(it)
}

// hand is what carries deeds out, without waiting.
func (b *bed) hand() *rules.Hand {
	return &rules.Hand{Host: b.host, Pause: func(context.Context, time.Duration) {}, Folder: func(dir string) (rules.Folder, error) { return os.OpenRoot(dir) }}
}

func (b *bed) prepare(a *rules.Action, key snapshot.Key, params map[string]string) (rules.Effect, error) {
	b.t.Helper()
	p := &rules.Preparation{Item: b.snap.Item(key), Snapshot: b.snap, Sources: b, Params: map[string]string{}, Trusted: !b.untrusted}
	for _, param := range a.Params {
		p.Params[param.Name] = param.Default
	}
	for k, v := range params {
		p.Params[k] = v
	}
	return a.Prepare(p)
}

// act prepares, does and settles.
func (b *bed) act(a *rules.Action, key snapshot.Key, params map[string]string) (rules.Deed, error) {
	b.t.Helper()
	e, err := b.prepare(a, key, params)
	if err != nil {
		b.t.Fatalf("%s refuses: %v", a.ID, err)
	}
	d, err := a.Do(b.t.Context(), b.hand(), *e.Deed)
	if err != nil {
		return d, err
	}
	return d, a.Settled(b.t.Context(), b.hand(), d)
}

// A deaf host fails the test when anybody opens a socket.
type deaf struct {
	host.Host
	t *testing.T
}

func (d deaf) Dial(context.Context, string) (net.Conn, error) {
	d.t.Error("a socket was opened")
	return nil, errors.New("no")
}
