package systemd

import (
	"reflect"
	"strings"
	"testing"
)

const service = `# backs the shop up
[Unit]
Description=Backup

[Service]
Type=oneshot
User=shop
Environment="TOKEN=a b" LEVEL=debug
ExecStart=/bin/true
ExecStart=
ExecStart=-/usr/bin/node \
  # not part of it
  /srv/shop/scripts/backup.js %i
nonsense
`

func TestParse(t *testing.T) {
	u := Parse([]byte("Early=1\n" + service))
	if got := u.Get("Service", "Type"); got != "oneshot" {
		t.Errorf("Type %q", got)
	}
	starts := u.All("Service", "ExecStart")
	if len(starts) != 1 {
		t.Fatalf("%+v", starts)
	}
	text, skip := starts[0].Command()
	if strings.Join(strings.Fields(text), " ") != "/usr/bin/node /srv/shop/scripts/backup.js $i" || skip != 1 || starts[0].Line != 12 || starts[0].Column != 11 {
		t.Errorf("%q skips %d at %d:%d", text, skip, starts[0].Line, starts[0].Column)
	}
	if got := u.All("Service", "Environment")[0].Names(); !reflect.DeepEqual(got, []string{"TOKEN", "LEVEL"}) {
		t.Errorf("names %v", got)
	}
	want := []Problem{{1, 1, "a setting before the first section: systemd ignores it"}, {15, 1, "neither a section nor a setting: systemd ignores the line"}}
	if !reflect.DeepEqual(u.Problems, want) {
		t.Errorf("problems %+v", u.Problems)
	}
	if u.Get("Timer", "OnCalendar") != "" || len(u.All("Unit", "After")) != 0 {
		t.Error("a setting that is not there")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(service))
	f.Add([]byte("[Timer]\r\nOnCalendar = daily \\\r\n"))
	f.Add([]byte("[a]\n=\n\\\n#\\\n;[\n[]"))
	f.Fuzz(func(t *testing.T, src []byte) {
		lines := strings.Count(string(src), "\n") + 1
		u := Parse(src)
		for _, s := range u.Settings {
			if s.Line < 1 || s.Line > lines || s.Column < 1 {
				t.Errorf("place %d:%d of %d lines", s.Line, s.Column, lines)
			}
			_, _ = s.Command()
			_ = s.Names()
		}
		if len(u.Problems) > maxProblems || !reflect.DeepEqual(u, Parse(src)) {
			t.Error("not bounded, or not the same twice")
		}
	})
}
