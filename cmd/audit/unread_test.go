//go:build unix

package main

import (
	"encoding/json"
	"errors"
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
	if testing.Short() {
		t.Skip("it starts the program too often for a short run")
	}
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

// entangled are files that need each other across folders, and some that are
// not there.
const entangled = `
-- scripts/nested/job.sh --
node src/job.js
-- scripts/calls.sh --
sh scripts/nested/job.sh
sh scripts/nested/none.sh
npm --prefix web run build
npm --prefix web run none
-- scripts/loads.mjs --
import '../lib/db.js';
import '../lib/none.mjs';
-- src/job.js --
1
-- lib/db.js --
module.exports = 1
-- tools/act/action.yml --
name: act
runs: {using: composite, steps: [{run: sh tools/act/x.sh, shell: bash}]}
-- tools/act/x.sh --
echo
-- tools/package.json --
{"name": "tools", "scripts": {"a": "sh act/x.sh", "b": "sh act/none.sh"}}
-- netlify/functions/entangled.js --
const db = require('../../lib/db');
const none = require('../../lib/none');
exports.handler = async () => ({statusCode: 200});
-- .github/workflows/entangled.yml --
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    timeout-minutes: 5
    steps:
      - uses: ./tools/act
      - uses: ./tools/none
      - run: node lib/db.js
      - run: node lib/none.js
      - run: npm run a
        working-directory: tools
  b:
    uses: ./.github/workflows/none.yml
-- conf/pm2.config.js --
module.exports = {apps: [{name: 'lost', script: 'lib/lost.js', cwd: '..'}, {name: 'db', script: '../lib/db.js'}]}
`

// timely is document where nothing was given up for want of time. On a busy machine it
// looks a second time, and not a third: what is always too slow is a fault.
func timely(t *testing.T, dir string) *report.Document {
	t.Helper()
	late := ""
	for range 2 {
		d, r := document(t, dir, nil)
		if late = tooLate(r.out); late == "" {
			return d
		}
	}
	t.Fatalf("given up twice for want of time: %s", late)
	return nil
}

// tooLate returns the line of a report that says that the time was too short.
func tooLate(out string) string {
	for line := range strings.Lines(out) {
		if strings.Contains(line, "needs more than 2 seconds") || strings.Contains(line, "deadline exceeded") {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// Promise 2: what lies behind a folder that became a symbolic link is neither
// gone nor mended, and nothing behind it is called missing.
func TestWhatIsBehindALinkIsNotGone(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts the program too often for a short run")
	}
	for i, folder := range []string{".github/workflows", ".github", "netlify/functions", "netlify", "scripts", "scripts/nested", "lib", "web", "tools", "conf"} {
		for _, to := range []string{"inside", []string{"outside", "nowhere"}[i%2]} {
			inGit := to == "inside"
			t.Run(folder+" "+to, func(t *testing.T) {
				t.Parallel()
				dir := site(t)
				collecttest.Write(t, dir, entangled)
				if inGit {
					git(t, dir, "init", "-q")
					git(t, dir, "add", "-A")
					git(t, dir, "commit", "-qm", "x")
				}
				before := timely(t, dir)
				at, target := filepath.Join(dir, folder), filepath.Join(dir, "moved")
				if to == "outside" {
					target = filepath.Join(t.TempDir(), "moved")
				}
				link, err := filepath.Rel(filepath.Dir(at), target)
				if err != nil {
					t.Fatal(err)
				}
				if to == "nowhere" {
					target, link = filepath.Join(t.TempDir(), "away"), "none"
				}
				if err := errors.Join(os.Rename(at, target), os.Symlink(link, at)); err != nil {
					t.Fatal(err)
				}
				for range 2 {
					d := timely(t, dir)
					nothingLost(t, before, d)
					for _, f := range d.Findings {
						moved := f.Location != nil && strings.HasPrefix(f.Location.Path, "moved/")
						if f.Status == "new" && !moved && f.Check != "audit-system-unreadable" {
							t.Errorf("new: %s of %s: %s", f.Check, f.Item, f.Message)
						}
					}
					for _, c := range d.Changes {
						for _, f := range c.Facts {
							if f.New == nil && f.Old != nil {
								t.Errorf("%s lost the fact %s", c.Item, f.Name)
							}
						}
					}
					saved, r := &report.Document{}, invoke(t, dir, nil, "--root", dir, "report", "--format", "json")
					if err := json.Unmarshal([]byte(r.out), saved); err != nil {
						t.Fatal(err)
					}
					for i, it := range d.Items {
						if old := saved.Items[i]; old.Key != it.Key || old.Level != it.Level || old.Unknown != it.Unknown {
							t.Errorf("%s is %s (%s), saved as %s (%s)", it.Key, it.Level, it.Unknown, old.Level, old.Unknown)
						}
					}
					if folder != "lib" && !strings.Contains(messages(d), folder+" is a symbolic link") {
						t.Errorf("it does not say so: %s", messages(d))
					}
				}
				if err := errors.Join(os.Remove(at), os.Rename(target, at)); err != nil {
					t.Fatal(err)
				}
				back := timely(t, dir)
				for _, f := range back.Findings {
					mended := f.Check == "audit-system-unreadable" || to == "inside" // what had moved is gone again
					if f.Status != "persisting" && !mended {
						t.Errorf("back again: %s of %s is %s", f.Check, f.Item, f.Status)
					}
				}
			})
		}
	}
}

// A file that becomes a link to itself, or one of two that lead to each other,
// is one unknown that says so, whoever starts it.
func TestLinksInACircle(t *testing.T) {
	dir := site(t)
	collecttest.Write(t, dir, entangled+`-- scripts/self.sh --
sh scripts/nested/none.sh
-- scripts/other.sh --
echo
-- deploy/package.json --
{"scripts": {"self": "sh ../scripts/self.sh", "direct": "../scripts/other.sh", "none": "sh none.sh"}}
-- .github/workflows/circle.yml --
on: push
jobs: {a: {runs-on: ubuntu-latest, timeout-minutes: 5, steps: [{run: sh scripts/self.sh}, {run: sh scripts/other.sh}]}}
`)
	before, _ := document(t, dir, nil)
	circles := map[string]string{"scripts/self.sh": "self.sh", "scripts/other.sh": "twin.sh", "scripts/twin.sh": "other.sh",
		"netlify/functions/entangled.js": "entangled.js", "deploy/package.json": "package.json", "crontab": "crontab"}
	for p, to := range circles {
		at := filepath.Join(dir, p)
		if err := os.Remove(at); err != nil && p != "scripts/twin.sh" {
			t.Fatal(err)
		}
		if err := os.Symlink(to, at); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		d, r := document(t, dir, nil)
		nothingLost(t, before, d)
		for _, f := range d.Findings {
			if f.Status == "new" && f.Check != "audit-system-unreadable" {
				t.Errorf("new: %s of %s: %s", f.Check, f.Item, f.Message)
			}
		}
		for _, key := range []string{"scripts/scripts/self.sh", "scripts/scripts/other.sh", "scripts/scripts/twin.sh", "functions/entangled", "scripts/file:deploy/package.json", "scripts/file:crontab"} {
			if it := itemAt(d, key); it == nil || it.Level != "unknown" || !strings.Contains(it.Unknown, "symbolic link") {
				t.Errorf("%s: %+v", key, it)
			}
		}
		if r.code == exitIncomplete {
			t.Errorf("exit %d: %s", r.code, messages(d))
		}
	}
}
