package pm2

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"healthaudit/snapshot/analyze/axon"
)

// callTime bounds a whole conversation with a daemon.
const callTime = 2 * time.Second

// allowed are the only methods that are ever called, with their number of
// arguments. One call with a wrong number makes the daemon replace itself and
// restart every app, so nothing else leaves this process.
var allowed = map[string]int{
	"getMonitorData": 1,
	"getVersion":     1,
}

// errForbiddenCall is returned for every call outside the allow-list, before the
// connection is touched.
var errForbiddenCall = errors.New("not one of the read-only calls")

// A client is one connection to a daemon. It is not safe for concurrent use.
type client struct {
	conn  net.Conn
	sent  int                // calls so far
	calls map[string]*string // id of every call under way → its answer, nil before it came
}

// A sentCall is a call whose answer is still to be received.
type sentCall struct{ method, id string }

// newClient speaks over a connection until the context's deadline.
func newClient(ctx context.Context, conn net.Conn) (*client, error) {
	if t, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(t); err != nil {
			return nil, err
		}
	}
	return &client{conn: conn, calls: map[string]*string{}}, nil
}

// send asks the daemon; several calls may be under way at once. Each argument must
// be an empty object, which is what every allowed method takes.
func (c *client) send(method string, args ...struct{}) (sentCall, error) {
	if n, ok := allowed[method]; !ok || n != len(args) {
		return sentCall{}, fmt.Errorf("%.40q with %d arguments: %w", method, len(args), errForbiddenCall)
	}
	c.sent++
	k := sentCall{method, "audit:" + strconv.Itoa(c.sent)}
	frame, err := axon.Call(method, k.id, args)
	if err != nil {
		return sentCall{}, err
	}
	if _, err := c.conn.Write(frame); err != nil {
		return sentCall{}, fmt.Errorf("%s: %w", method, err)
	}
	c.calls[k.id] = nil
	return k, nil
}

// receive returns the first result of a call, which is valid JSON.
func (c *client) receive(k sentCall) (string, error) {
	for range 16 { // answers to ids that are not ours are dropped; more than a few are no PM2
		if body := c.calls[k.id]; body != nil {
			delete(c.calls, k.id)
			return axon.Result(k.method, *body)
		}
		id, body, err := axon.ReadReply(c.conn)
		if err != nil {
			return "", fmt.Errorf("%s: %w", k.method, err)
		}
		if _, ours := c.calls[id]; ours {
			c.calls[id] = &body
		}
	}
	return "", fmt.Errorf("%s: no answer with our id: %w", k.method, axon.ErrProtocol)
}
