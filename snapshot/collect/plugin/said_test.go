package plugin

import (
	"os"
	"strings"
	"testing"
	"time"

	"healthaudit/snapshot/host"
)

// Half of a secret at the end of what is read of standard error is not shown.
func TestSaid_bounded(t *testing.T) {
	t.Setenv("TOKEN_OF_OURS", "correct horse battery staple")
	h, err := host.New(t.TempDir(), os.Getenv, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	p := &Program{Command: []string{"x"}, Env: []string{"TOKEN_OF_OURS"}}
	text := "it failed\n" + strings.Repeat("z", maxError)
	cut := text[:maxError-8] + "correct "
	if got := p.said(h, []byte(cut)); got != ": it failed" {
		t.Errorf("%.60q", got)
	}
	if got := p.said(h, []byte("it failed\nin the end\n")); got != ": in the end" {
		t.Errorf("%q", got)
	}
}

// What a program starts by name is not looked for in the project.
func TestEnvironment_path(t *testing.T) {
	root := t.TempDir()
	t.Setenv("PATH", root+"/node_modules/.bin:/usr/bin")
	h, err := host.New(root, os.Getenv, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	for _, v := range (&Program{}).environment(h) {
		if strings.HasPrefix(v, "PATH=") && v != "PATH=/usr/bin" {
			t.Error(v)
		}
	}
}
