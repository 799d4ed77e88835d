package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"healthaudit/report"
	"healthaudit/snapshot/collect/collecttest"
)

// nothingLost fails where a run takes for gone or mended what it did not see.
func nothingLost(t *testing.T, before, d *report.Document) {
	t.Helper()
	for _, f := range d.Findings {
		if f.Status == "resolved" {
			t.Errorf("%s of %s is resolved", f.Check, f.Item)
		}
	}
	for _, c := range d.Changes {
		if c.Op == "removed" {
			t.Errorf("%s is removed", c.Item)
		}
	}
	if d.Score.Value != nil && before.Score.Value != nil && *d.Score.Value > *before.Score.Value {
		t.Errorf("the score rose from %v to %v", *before.Score.Value, *d.Score.Value)
	}
}

// itemAt returns the item of that key, or nil.
func itemAt(d *report.Document, key string) *report.Item {
	for i := range d.Items {
		if d.Items[i].Key == key {
			return &d.Items[i]
		}
	}
	return nil
}

// messages are what a report says of what could not be read.
func messages(d *report.Document) string {
	var out []string
	for _, e := range d.Errors {
		out = append(out, e.Source+": "+e.Message+" "+e.Hint)
	}
	return strings.Join(out, "\n")
}

// A PM2 home that another environment hides is not gone with all that runs in
// it; one that is named, or that no longer exists, decides.
func TestHomeOfAnotherEnvironment(t *testing.T) {
	for _, c := range []struct {
		title, declared string
		other           bool // there is another home today
	}{
		{title: "no home"}, {"no home, declared", "ecosystem.config.js", false},
		{title: "another home", other: true}, {"another home, declared", "ecosystem.config.js", true},
	} {
		t.Run(c.title, func(t *testing.T) {
			dir, home, other := t.TempDir(), t.TempDir(), t.TempDir()
			if c.declared != "" {
				collecttest.WriteFile(t, dir, c.declared, []byte("module.exports = {apps: [{name: 'web', script: 'app.js'}]}\n"))
			}
			collecttest.WriteFile(t, dir, "app.js", nil)
			collecttest.WriteFile(t, home, "dump.pm2", []byte(`[{"name":"web"},{"name":"queue"}]`))
			collecttest.WriteFile(t, other, "dump.pm2", []byte(`[{"name":"web"}]`))
			here := []string{"PM2_HOME=" + home}
			elsewhere := []string{"HOME="}
			if c.other {
				elsewhere = []string{"PM2_HOME=" + other}
			}
			before, _ := document(t, dir, here)
			if itemAt(before, "pm2/queue") == nil || len(before.Findings) == 0 {
				t.Fatalf("%+v", before.Items)
			}
			invoke(t, dir, elsewhere, "--root", dir, "run", "--only", "scripts") // forgets nothing
			for range 2 {
				d, _ := document(t, dir, elsewhere)
				nothingLost(t, before, d)
				for _, key := range []string{"pm2/daemon", "pm2/web", "pm2/queue"} {
					if it := itemAt(d, key); it == nil || it.Change != "unknown" {
						t.Errorf("%s is not carried: %+v", key, it)
					}
				}
				if m := messages(d); c.other && !strings.Contains(m, home) || !strings.Contains(m, "PM2_HOME") || !strings.Contains(m, "audit.yaml") {
					t.Errorf("it says %s", m)
				}
			}
			back, _ := document(t, dir, here)
			for _, f := range back.Findings {
				if f.Status != "persisting" && f.Check != "audit-system-unreadable" {
					t.Errorf("back again: %s of %s is %s", f.Check, f.Item, f.Status)
				}
			}
			if it := itemAt(back, "pm2/queue"); it == nil || it.Change != "unchanged" {
				t.Errorf("back again: %+v", it)
			}

			if c.other {
				collecttest.WriteFile(t, dir, "audit.yaml", []byte("version: 1\nsystems: {pm2: {homes: [\""+other+"\"]}}\n"))
			} else if err := os.RemoveAll(home); err != nil {
				t.Fatal(err)
			}
			d, _ := document(t, dir, elsewhere)
			if it := itemAt(d, "pm2/queue"); it != nil || strings.Contains(messages(d), filepath.Base(home)) {
				t.Errorf("it was moved on purpose: %+v\n%s", it, messages(d))
			}
		})
	}
}
