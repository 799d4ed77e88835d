package axon

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// The bytes that PM2 7.0.4 and its own client exchanged.
func TestCall_asPM2(t *testing.T) {
	frame, err := Call("getVersion", "6616:0", make([]struct{}, 1))
	if err != nil {
		t.Fatal(err)
	}
	want := "\x12\x00\x00\x00\x33j:" + `{"args":[{}],"method":"getVersion","type":"call"}` + "\x00\x00\x00\x08s:6616:0"
	if string(frame) != want {
		t.Errorf("got  %q\nwant %q", frame, want)
	}
	id, body, err := ReadReply(strings.NewReader("\x12\x00\x00\x00\x12j:" + `{"args":["7.0.4"]}`[:16] + "\x00\x00\x00\x08s:6616:0"))
	if err != nil || id != "6616:0" || !strings.HasPrefix(body, `{"args":["7.0.4"`) {
		t.Errorf("%q %q %v", id, body, err)
	}
}

// What is no answer is told from one, and an error is not repeated.
func TestResult(t *testing.T) {
	for body, want := range map[string]struct {
		result string
		err    error
	}{
		`{"args":["7.0.4"]}`:              {`"7.0.4"`, nil},
		`{"args":[{"a":1}],"error":null}`: {`{"a":1}`, nil},
		`{"error":{"s3cret":1}}`:          {"", ErrRefused},
		`{"args":[]}`:                     {"", ErrProtocol},
		`{"args":{"0":1}}`:                {"", ErrProtocol},
		`{}`:                              {"", ErrProtocol},
		`[]`:                              {"", ErrProtocol},
		`{"args":[`:                       {"", ErrProtocol},
	} {
		got, err := Result("m", body)
		if got != want.result || !errors.Is(err, want.err) || err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %s, %v", body, got, err)
		}
	}
}

func FuzzReadFrame(f *testing.F) {
	f.Add([]byte("\x12\x00\x00\x00\x16j:{\"args\":[\"7.0.4\"]}..\x00\x00\x00\x08s:6616:0"))
	f.Add([]byte{0x12, 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{0x1f, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		args, err := ReadFrame(r)
		if err != nil {
			return
		}
		// What was read, written again, is what was consumed.
		if again := Frame(args...); !bytes.Equal(again, b[:len(b)-r.Len()]) {
			t.Errorf("read %q, which is written %q", b, again)
		}
	})
}
