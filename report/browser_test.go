package report

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

var shots = flag.String("shots", "", "folder for screenshots of the page; none without")

// A browser is a real Chromium, driven through a pipe by its own protocol
// (https://chromedevtools.github.io/devtools-protocol/).
type browser struct {
	t       *testing.T
	to      *os.File
	pipe    *os.File
	from    *bufio.Reader
	id      int
	session string
	events  []event // since the page was opened
}

type event struct {
	Method string
	Params json.RawMessage
}

// chromium starts a browser, or skips the test where there is none.
func chromium(t *testing.T) *browser {
	t.Helper()
	if testing.Short() {
		t.Skip("a browser takes seconds: left out of the short run")
	}
	var path string
	for _, name := range []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" || runtime.GOOS == "windows" {
		t.Skip("no Chromium on PATH: the page is not opened in a browser")
	}
	theirIn, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	from, theirOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-dev-shm-usage",
		"--remote-debugging-pipe", "--user-data-dir="+t.TempDir(), "about:blank")
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	cmd.ExtraFiles = []*os.File{theirIn, theirOut} // 3 and 4 of the child
	if err := cmd.Start(); err != nil {
		t.Skipf("%s does not start: %v", path, err)
	}
	theirIn.Close()
	theirOut.Close()
	b := &browser{t: t, to: to, pipe: from, from: bufio.NewReaderSize(from, 1<<20)}
	t.Cleanup(func() {
		b.session = ""
		b.call("Browser.close", nil, nil)
		to.Close()
		done := make(chan struct{})
		go func() { cmd.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			cmd.Process.Kill()
			<-done
		}
		from.Close()
	})
	var target struct{ TargetID string }
	b.must("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.must("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	for _, domain := range []string{"Page", "Runtime", "Network", "Log"} {
		b.must(domain+".enable", nil, nil)
	}
	return b
}

// call sends a command and reads until its answer; what comes between are events.
func (b *browser) call(method string, params any, out any) error {
	b.id++
	b.pipe.SetReadDeadline(time.Now().Add(time.Minute)) // a browser that hangs fails the test
	msg := map[string]any{"id": b.id, "method": method}
	if params != nil {
		msg["params"] = params
	}
	if b.session != "" {
		msg["sessionId"] = b.session
	}
	raw, err := json.Marshal(msg)
	if err != nil {
		return err
	}
	if _, err := b.to.Write(append(raw, 0)); err != nil {
		return err
	}
	for {
		m, err := b.read()
		if err != nil {
			return err
		}
		if m.ID != b.id {
			continue
		}
		if m.Error != nil {
			return fmt.Errorf("%s: %s", method, m.Error.Message)
		}
		if out == nil {
			return nil
		}
		return json.Unmarshal(m.Result, out)
	}
}

type message struct {
	ID     int
	Result json.RawMessage
	Error  *struct{ Message string }
	event
}

func (b *browser) read() (m message, err error) {
	raw, err := b.from.ReadBytes(0)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(bytes.TrimSuffix(raw, []byte{0}), &m); err != nil {
		return m, err
	}
	if m.ID == 0 {
		b.events = append(b.events, m.event)
	}
	return m, nil
}

func (b *browser) must(method string, params any, out any) {
	b.t.Helper()
	if err := b.call(method, params, out); err != nil {
		b.t.Fatal(err)
	}
}

// open shows a page in a window of that width and returns how long that took,
// until everything of it was there.
func (b *browser) open(file string, width int, scheme string) time.Duration {
	b.t.Helper()
	b.must("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}, nil)
	b.must("Emulation.setEmulatedMedia", map[string]any{"media": "", "features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
	b.events = nil
	start := time.Now()
	b.must("Page.navigate", map[string]any{"url": "file://" + file}, nil)
	for !b.saw("Page.loadEventFired") {
		if _, err := b.read(); err != nil {
			b.t.Fatal(err)
		}
	}
	if b.eval("document.querySelector('form')?.hidden") != "true" { // scripts run
		b.eval("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))") // it is painted
	}
	return time.Since(start)
}

func (b *browser) saw(method string) bool {
	for _, e := range b.events {
		if e.Method == method {
			return true
		}
	}
	return false
}

// eval returns what an expression is in the page, as JSON.
func (b *browser) eval(expression string) string {
	b.t.Helper()
	var r struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct{ Text string }
	}
	b.must("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true}, &r)
	if r.ExceptionDetails != nil {
		b.t.Errorf("%s: %s", expression, r.ExceptionDetails.Text)
	}
	return string(r.Result.Value)
}

// troubles are requests, errors and complaints of the page since it was opened.
func (b *browser) troubles(file string) (out []string) {
	for _, e := range b.events {
		switch e.Method {
		case "Network.requestWillBeSent":
			var p struct{ Request struct{ URL string } }
			if json.Unmarshal(e.Params, &p) == nil && p.Request.URL != "file://"+file {
				out = append(out, "asks for "+p.Request.URL)
			}
		case "Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled":
			out = append(out, string(e.Params))
		}
	}
	return out
}

// shot keeps pictures of the page, screen by screen, where pictures are wanted.
func (b *browser) shot(name string) {
	if *shots == "" {
		return
	}
	var width, height int
	fmt.Sscan(b.eval("innerWidth"), &width)
	fmt.Sscan(b.eval("document.documentElement.scrollHeight"), &height)
	const screen = 1300
	for i := 0; i*screen < height && i < 7; i++ {
		var pic struct{ Data string }
		b.must("Page.captureScreenshot", map[string]any{"captureBeyondViewport": true,
			"clip": map[string]any{"x": 0, "y": i * screen, "width": width, "height": min(screen, height-i*screen), "scale": 1}}, &pic)
		raw, err := base64.StdEncoding.DecodeString(pic.Data)
		if err := errors.Join(err, os.WriteFile(filepath.Join(*shots, fmt.Sprintf("%s-%d.png", name, i+1)), raw, 0o644)); err != nil {
			b.t.Fatal(err)
		}
	}
}
