// Package axon reads and writes what goes over the socket of a PM2 daemon:
// axon-rpc over AMP frames (npm amp 0.3.1, amp-message 0.1.2; PM2
// modules/pm2-axon, pm2-axon-rpc):
//
//	frame := meta arg{argc}      meta := version(1)<<4 | argc
//	arg   := uint32 big-endian length, then bytes: "j:" JSON | "s:" text | raw
//
// It opens nothing and decides nothing about what may be asked: whoever has a
// connection has an allow-list of its own.
package axon

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/tidwall/gjson"

	"healthaudit/snapshot/analyze/jsontext"
)

// maxArg bounds the arguments of one frame in bytes: 100 apps are half a megabyte.
const maxArg = 64 << 20

// atOnce is how many bytes that a length announces are allocated before they
// arrive.
const atOnce = 1 << 20

// ErrProtocol is returned when the other side does not speak the protocol.
var ErrProtocol = errors.New("answer is not PM2's protocol")

// ErrRefused is returned when the daemon answers with an error. What it says may
// hold anything and is not repeated.
var ErrRefused = errors.New("the daemon answers with an error")

// Call returns the frame that calls a method. The id comes back with the answer.
func Call(method, id string, args any) ([]byte, error) {
	body, err := json.Marshal(map[string]any{"type": "call", "method": method, "args": args})
	if err != nil {
		return nil, err
	}
	return Frame("j:"+string(body), "s:"+id), nil
}

// Frame returns a frame of at most 15 arguments.
func Frame(args ...string) []byte {
	b := []byte{byte(1<<4 | len(args))}
	for _, a := range args {
		b = binary.BigEndian.AppendUint32(b, uint32(len(a)))
		b = append(b, a...)
	}
	return b
}

// ReadFrame reads one frame. What a length announces beyond a megabyte is
// allocated only as it arrives. Errors: ErrProtocol, and those of the reader.
func ReadFrame(r io.Reader) ([]string, error) {
	var meta [1]byte
	if _, err := io.ReadFull(r, meta[:]); err != nil {
		return nil, err
	}
	version, argc := meta[0]>>4, int(meta[0]&15)
	if version != 1 || argc == 0 {
		return nil, fmt.Errorf("frame starts with 0x%02x: %w", meta[0], ErrProtocol)
	}
	args := make([]string, 0, argc)
	total := int64(0)
	for range argc {
		var size [4]byte
		if _, err := io.ReadFull(r, size[:]); err != nil {
			return nil, torn(err)
		}
		n := int64(binary.BigEndian.Uint32(size[:]))
		if total += n; total > maxArg {
			return nil, fmt.Errorf("frame of %d bytes: %w", total, ErrProtocol)
		}
		var b strings.Builder
		b.Grow(int(min(n, atOnce)))
		if _, err := io.CopyN(&b, r, n); err != nil {
			return nil, torn(err)
		}
		args = append(args, b.String())
	}
	return args, nil
}

func torn(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// ReadReply reads a frame that answers a call: its id and its JSON body.
func ReadReply(r io.Reader) (id, body string, err error) {
	args, err := ReadFrame(r)
	if err != nil {
		return "", "", err
	}
	if len(args) != 2 {
		return "", "", fmt.Errorf("answer of %d parts: %w", len(args), ErrProtocol)
	}
	body, isJSON := strings.CutPrefix(args[0], "j:")
	id, isText := strings.CutPrefix(args[1], "s:")
	if !isJSON || !isText {
		return "", "", fmt.Errorf("parts of another type: %w", ErrProtocol)
	}
	return id, body, nil
}

// Result reads {"args":[result]} or {"error":…} and returns the first result,
// which is valid JSON. Errors: ErrRefused, ErrProtocol.
func Result(method string, body string) (string, error) {
	if !jsontext.Valid(body) {
		return "", fmt.Errorf("%s: %w", method, ErrProtocol)
	}
	reply := gjson.Parse(body)
	if !reply.IsObject() {
		return "", fmt.Errorf("%s: %w", method, ErrProtocol)
	}
	if e := reply.Get("error"); e.Exists() && e.Type != gjson.Null {
		return "", fmt.Errorf("%s: %w", method, ErrRefused)
	}
	args := reply.Get("args")
	if args.Exists() && !args.IsArray() {
		return "", fmt.Errorf("%s: %w", method, ErrProtocol)
	}
	first := args.Get("0")
	if !first.Exists() {
		return "", fmt.Errorf("%s: empty answer: %w", method, ErrProtocol)
	}
	return first.Raw, nil
}
