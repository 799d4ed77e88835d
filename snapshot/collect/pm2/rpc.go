package pm2

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// The daemon's socket speaks axon-rpc over AMP frames (npm amp 0.3.1,
// amp-message 0.1.2; PM2 modules/pm2-axon, pm2-axon-rpc):
//
//	frame := meta arg{argc}      meta := version(1)<<4 | argc
//	arg   := uint32 big-endian length, then bytes: "j:" JSON | "s:" text | raw

// callTime bounds a whole conversation with a daemon.
const callTime = 2 * time.Second

// maxArg bounds one argument of a frame in bytes: 100 apps are half a megabyte.
const maxArg = 64 << 20

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

// errProtocol is returned when the other side does not speak the protocol.
var errProtocol = errors.New("answer is not PM2's protocol")

// A client is one connection to a daemon. It is not safe for concurrent use.
type client struct {
	conn  net.Conn
	sent  int               // calls so far
	calls map[string][]byte // id of every call under way → its answer, nil before it came
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
	return &client{conn: conn, calls: map[string][]byte{}}, nil
}

// send asks the daemon; several calls may be under way at once. Each argument must
// be an empty object, which is what every allowed method takes.
func (c *client) send(method string, args ...struct{}) (sentCall, error) {
	if n, ok := allowed[method]; !ok || n != len(args) {
		return sentCall{}, fmt.Errorf("%.40q with %d arguments: %w", method, len(args), errForbiddenCall)
	}
	c.sent++
	k := sentCall{method, "audit:" + strconv.Itoa(c.sent)}
	frame, err := request(method, k.id, args)
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
func (c *client) receive(k sentCall) (json.RawMessage, error) {
	for range 16 { // answers to ids that are not ours are dropped; more than a few are no PM2
		if body := c.calls[k.id]; body != nil {
			delete(c.calls, k.id)
			return decodeBody(k.method, body)
		}
		id, body, err := readReply(c.conn)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k.method, err)
		}
		if _, ours := c.calls[id]; ours {
			c.calls[id] = body
		}
	}
	return nil, fmt.Errorf("%s: no answer with our id: %w", k.method, errProtocol)
}

func request(method, id string, args []struct{}) ([]byte, error) {
	body, err := json.Marshal(map[string]any{"type": "call", "method": method, "args": args})
	if err != nil {
		return nil, err
	}
	return appendFrame(nil, append([]byte("j:"), body...), []byte("s:"+id)), nil
}

func appendFrame(b []byte, args ...[]byte) []byte {
	b = append(b, byte(1<<4|len(args)))
	for _, a := range args {
		b = binary.BigEndian.AppendUint32(b, uint32(len(a)))
		b = append(b, a...)
	}
	return b
}

// readFrame reads one frame. What a length announces is allocated only as it
// arrives.
func readFrame(r io.Reader) ([][]byte, error) {
	var meta [1]byte
	if _, err := io.ReadFull(r, meta[:]); err != nil {
		return nil, err
	}
	version, argc := meta[0]>>4, int(meta[0]&15)
	if version != 1 || argc == 0 {
		return nil, fmt.Errorf("frame starts with 0x%02x: %w", meta[0], errProtocol)
	}
	args := make([][]byte, 0, argc)
	total := int64(0)
	for range argc {
		var size [4]byte
		if _, err := io.ReadFull(r, size[:]); err != nil {
			return nil, torn(err)
		}
		n := int64(binary.BigEndian.Uint32(size[:]))
		if total += n; total > maxArg {
			return nil, fmt.Errorf("frame of %d bytes: %w", total, errProtocol)
		}
		var b bytes.Buffer
		if _, err := io.CopyN(&b, r, n); err != nil {
			return nil, torn(err)
		}
		args = append(args, b.Bytes())
	}
	return args, nil
}

func torn(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// readReply reads a frame that answers a call: its id and its JSON body.
func readReply(r io.Reader) (id string, body []byte, err error) {
	args, err := readFrame(r)
	if err != nil {
		return "", nil, err
	}
	if len(args) != 2 {
		return "", nil, fmt.Errorf("answer of %d parts: %w", len(args), errProtocol)
	}
	body, isJSON := bytes.CutPrefix(args[0], []byte("j:"))
	text, isText := bytes.CutPrefix(args[1], []byte("s:"))
	if !isJSON || !isText {
		return "", nil, fmt.Errorf("parts of another type: %w", errProtocol)
	}
	return string(text), body, nil
}

// decodeBody reads {"args":[result]} or {"error":…}. What the daemon says in an
// error may hold anything and is not repeated.
func decodeBody(method string, body []byte) (json.RawMessage, error) {
	if !json.Valid(body) {
		return nil, fmt.Errorf("%s: %w", method, errProtocol)
	}
	reply, ok := object(body)
	if !ok {
		return nil, fmt.Errorf("%s: %w", method, errProtocol)
	}
	if e := reply["error"]; len(e) > 0 && string(e) != "null" {
		return nil, fmt.Errorf("%s: the daemon answers with an error", method)
	}
	args, ok := array(reply["args"])
	if !ok && len(reply["args"]) > 0 {
		return nil, fmt.Errorf("%s: %w", method, errProtocol)
	}
	if len(args) == 0 {
		return nil, fmt.Errorf("%s: empty answer: %w", method, errProtocol)
	}
	return args[0], nil
}
