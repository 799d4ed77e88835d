package action

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/tidwall/gjson"

	"healthaudit/rules"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/axon"
	"healthaudit/snapshot/host"
)

// An order is one call to a PM2 daemon. Only the functions below make one.
type order struct {
	method string
	args   []any
}

func list() order            { return order{"getMonitorData", []any{struct{}{}}} }
func reopenLogs() order      { return order{"reloadLogs", []any{struct{}{}}} }
func restart(id int) order   { return order{"restartProcessId", []any{numbered{id}}} }
func reload(id int) order    { return order{"reloadProcessId", []any{numbered{id}}} }
func stop(id int) order      { return order{"stopProcessId", []any{id}} }
func duplicate(id int) order { return order{"duplicateProcessId", []any{id}} }
func remove(id int) order    { return order{"deleteProcessId", []any{id}} }
func prepare(e dumped) order { return order{"prepare", []any{json.RawMessage(e)}} }

// A numbered is a process by its number, as restart and reload take it. No
// environment goes with it: the app keeps the one it has.
type numbered struct {
	ID int `json:"id"`
}

// orders are the only calls that actions ever send, each with what its one
// argument may be. A call with another number or kind of arguments makes the
// daemon replace itself and restart every app (PM2 3.5.2 to 7.0.4), so nothing
// else leaves this package. That a signal, a kill, a reset or a flush is not
// among them is on purpose.
var orders = map[string]func(arg any) bool{
	"getMonitorData":     isEmpty,
	"reloadLogs":         isEmpty,
	"restartProcessId":   func(a any) bool { n, ok := a.(numbered); return ok && n.ID >= 0 },
	"reloadProcessId":    func(a any) bool { n, ok := a.(numbered); return ok && n.ID >= 0 },
	"stopProcessId":      isNumber,
	"duplicateProcessId": isNumber,
	"deleteProcessId":    isNumber,
	"prepare":            func(a any) bool { e, ok := a.(json.RawMessage); return ok && dumped(e).fault() == "" },
}

func isEmpty(a any) bool  { _, ok := a.(struct{}); return ok }
func isNumber(a any) bool { n, ok := a.(int); return ok && n >= 0 }

// errForbidden is returned for every call outside of orders, before a socket is
// opened.
var errForbidden = errors.New("not one of the calls that actions make")

// brief bounds a question to a daemon, patience the calls that wait for an app:
// PM2 waits for it to stop, and for it to come up (listen_timeout, kill_timeout).
const (
	brief    = 2 * time.Second
	patience = 90 * time.Second
)

// send calls a daemon and returns its first answer. It never starts one.
func send(ctx context.Context, h host.Host, home string, o order, wait time.Duration) (string, error) {
	if fits := orders[o.method]; fits == nil || len(o.args) != 1 || !fits(o.args[0]) {
		return "", fmt.Errorf("%.40q: %w", o.method, errForbidden)
	}
	const id = "audit:1"
	frame, err := axon.Call(o.method, id, o.args)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	conn, err := h.Dial(ctx, filepath.Join(home, "rpc.sock"))
	if err != nil {
		return "", fmt.Errorf("%s: %w", o.method, err)
	}
	defer conn.Close()
	if t, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(t); err != nil {
			return "", err
		}
	}
	if _, err := conn.Write(frame); err != nil {
		return "", fmt.Errorf("%s: %w", o.method, err)
	}
	for range 16 { // answers to others are no concern; more than a few are no PM2
		got, body, err := axon.ReadReply(conn)
		if err != nil {
			return "", fmt.Errorf("%s: %w", o.method, err)
		}
		if got == id {
			return axon.Result(o.method, body)
		}
	}
	return "", fmt.Errorf("%s: no answer with our id: %w", o.method, axon.ErrProtocol)
}

// listed asks a daemon what it runs.
func listed(ctx context.Context, h host.Host, home string) ([]proc, error) {
	raw, err := send(ctx, h, home, list(), brief)
	if err != nil {
		return nil, err
	}
	v := gjson.Parse(raw)
	if !v.IsArray() {
		return nil, fmt.Errorf("getMonitorData: %w", axon.ErrProtocol)
	}
	var out []proc
	v.ForEach(func(_, e gjson.Result) bool {
		if p, ok := decode(e); ok {
			out = append(out, p)
		}
		return true
	})
	return out, nil
}

// answers tells whether the daemon of a deed can be asked and told anything.
func answers(ctx context.Context, h *rules.Hand, d rules.Deed) error {
	_, err := listed(ctx, h.Host, d.Args["home"])
	return err
}

// ask is listed for a plan: nobody can be asked is a refusal.
func ask(p *rules.Preparation, home string) ([]proc, error) {
	if d := daemonOf(p, home); d == nil || d.State != "alive" || d.Unknown != "" {
		return nil, &rules.Refusal{Why: "the PM2 daemon of " + home + " does not answer as it should: nothing is started or disturbed there", Hint: "see what audit finds about pm2/daemon"}
	}
	all, err := listed(context.Background(), p.Sources.Host(), home)
	if err != nil {
		return nil, &rules.Refusal{Why: "the PM2 daemon of " + home + " could not be asked: " + err.Error()}
	}
	return all, nil
}

// daemonOf returns the item of a home's daemon, nil when there is none.
func daemonOf(p *rules.Preparation, home string) *snapshot.Item {
	if p.Item.Kind == "daemon" && p.Item.Source == "daemon:"+home {
		return p.Item
	}
	for _, it := range p.Snapshot.Of(snapshot.PM2) {
		if it.Kind == "daemon" && it.Source == "daemon:"+home {
			return it
		}
	}
	return nil
}
