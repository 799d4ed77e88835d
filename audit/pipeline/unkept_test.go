package pipeline

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"healthaudit/audit"
	"healthaudit/audit/check"
	"healthaudit/report"
	"healthaudit/snapshot"
	"healthaudit/snapshot/collect/all"
	"healthaudit/snapshot/store"
)

// remembers makes a project whose store has a row of nearly every kind.
func remembers(t *testing.T) *project {
	t.Helper()
	p := newProject(t)
	p.now = time.Now().UTC().Add(24 * time.Hour) // later than the files: what is as it was is not read again
	p.write("tools/x.sh", goodScript)
	p.write("tools/y.sh", goodScript)
	p.write("tools/w.sh", badScript)
	p.run("plan")
	p.write("tools/x.sh", badScript)
	p.write("tools/gone.sh", badScript)
	p.run("plan")
	if err := os.Remove(filepath.Join(p.root, "tools", "gone.sh")); err != nil {
		t.Fatal(err)
	}
	p.run("plan")
	p.write("tools/z.sh", goodScript)
	p.run("plan")
	return p
}

// eachRow calls fn with a damage for the rows of a store, and what it is called: for
// every one, but of those that can be made again, and in a short run, for some.
func eachRow(t *testing.T, path string, fn func(name string, damage func(*bolt.Tx) error)) {
	t.Helper()
	type row struct{ bucket, key []byte }
	var rows []row
	change(t, path, func(tx *bolt.Tx) error {
		return tx.ForEach(func(bucket []byte, b *bolt.Bucket) error {
			return b.ForEach(func(k, _ []byte) error {
				rows = append(rows, row{bytes.Clone(bucket), bytes.Clone(k)})
				return nil
			})
		})
	})
	for i, r := range rows {
		if b := string(r.bucket); (b == "cache" || b == "stat" || b == "chg") && i%4 > 0 || testing.Short() && i%3 > 0 {
			continue
		}
		fn(fmt.Sprintf("%s %.60q", r.bucket, r.key), func(tx *bolt.Tx) error {
			b := tx.Bucket(r.bucket)
			v := bytes.Clone(b.Get(r.key))
			v[0] ^= 1
			return b.Put(r.key, v)
		})
	}
}

// TestRun_damaged: whichever single row of the store is damaged, a run sees and
// judges what there is. Where it does not need that row it is as ever; else it
// says so, claims nothing of what was before, and does not touch the store.
func TestRun_damaged(t *testing.T) {
	p := remembers(t)
	p.write("tools/y.sh", badScript)
	path := filepath.Join(p.root, ".audit", "audit.db")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := p.now
	again := func(damage func(*bolt.Tx) error) (*report.Document, []byte, error) {
		t.Helper()
		p.now = at.Add(15 * time.Minute)
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		if damage != nil {
			change(t, path, damage)
		}
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		d, err := p.runner("apply").Run(t.Context())
		return d, before, err
	}
	// what recovery puts right is put wrong again before each run
	world := map[string]string{"tools/x.sh": badScript, "tools/y.sh": badScript, "tools/w.sh": badScript}
	want, _, err := again(nil)
	if err != nil {
		t.Fatal(err)
	}
	as, after, without := 0, 0, map[string]int{}
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	eachRow(t, path, func(name string, damage func(*bolt.Tx) error) {
		for file, text := range world {
			p.write(file, text)
		}
		d, before, err := again(damage)
		var blind *UnkeptError
		var kept *AfterError
		switch {
		case errors.As(err, &kept): // recovery reads more
			after++
		case err == nil:
			as++
			sameRun(t, name, d, want)
		case errors.As(err, &blind) && d != nil:
			bucket, key, _ := strings.Cut(name, " ")
			table, _, _ := strings.Cut(key, `\x00`)
			if bucket == "cur" || bucket == "ver" {
				bucket += " " + table
			}
			without[bucket]++
			claimsNothing(t, name, d, want)
			after, err := os.ReadFile(path)
			if err != nil || !bytes.Equal(before, after) {
				t.Errorf("%s: the damaged store was written to (%v)", name, err)
			}
			for file, text := range world {
				if p.read(file) != text {
					t.Errorf("%s: a rule acted on %s", name, file)
				}
			}
		default:
			t.Errorf("%s: %v", name, err)
		}
	})
	t.Logf("%d rows of which a run is as ever, %d of which its recovery is not; without memory for rows of %v", as, after, without)
	if as == 0 || without["blob"] == 0 || without["meta"] < 2 {
		t.Error("there is nothing of the one or the other")
	}
}

// TestRun_damagedBytes: a check that looks at bytes which are damaged finds nothing in
// them, which mends nothing.
func TestRun_damagedBytes(t *testing.T) {
	p := newProject(t)
	p.now = time.Now().UTC().Add(24 * time.Hour)
	p.write("tools/x.sh", goodScript)
	p.write("tools/y.sh", goodScript)
	looks := &audit.Check{ID: "script-looks", System: snapshot.Scripts, Severity: audit.High, Title: "looks", Judge: func(pass *audit.Pass) {
		for _, it := range pass.Items() {
			if f, ok := it.OwnFile(); ok && it.Path == "tools/x.sh" && pass.Bytes(f) != nil {
				pass.Report(audit.Report{Item: it.Key, Message: "seen"})
			}
		}
	}}
	run := func() (*report.Document, error) {
		p.now = p.now.Add(time.Hour)
		r := p.runner("off")
		r.Checks, r.Config.Backups.When = []*audit.Check{looks}, WhenNever
		return r.Run(t.Context())
	}
	if d, err := run(); err != nil || len(d.Findings) != 1 {
		t.Fatalf("%v: %+v", err, d)
	}
	sum, err := hex.DecodeString(snapshot.Sum([]byte(goodScript + "# x")))
	if err != nil {
		t.Fatal(err)
	}
	p.write("tools/x.sh", goodScript+"# x")
	if _, err := run(); err != nil {
		t.Fatal(err)
	}
	change(t, filepath.Join(p.root, ".audit", "audit.db"), damaged("blob", sum))
	d, err := run()
	var blind *UnkeptError
	if !errors.As(err, &blind) || len(d.Findings) != 1 || d.Findings[0].Status != string(audit.Persisting) {
		t.Errorf("%v: %+v", err, d.Findings)
	}
}

// TestRun_repaired: a repair leaves out what is lost of findings and items, and runs
// go on from what is left.
func TestRun_repaired(t *testing.T) {
	p := remembers(t)
	path := filepath.Join(p.root, ".audit", "audit.db")
	st, err := store.Open(path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = st.Update(func(tx *store.Tx) error { // as a repair does
		recs, err := records(tx, tx.Seq())
		for _, r := range recs {
			err = errors.Join(err, tx.Table(tableFinding).Delete(tx.Seq(), r.ID))
		}
		return errors.Join(err, tx.Table(tableItem).Delete(tx.Seq(), "scripts/tools/w.sh"))
	})
	if err := errors.Join(err, st.Close()); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		p.run("plan")
	}
	st, err = store.Open(path, store.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	err = st.View(func(tx *store.Tx) error {
		h, err := History(tx, "scripts/tools/w.sh", Risks(all.Collectors))
		if err == nil && len(h) == 0 {
			t.Error("it has no history")
		}
		r := &Recheck{Config: p.runner("off").Config, Collectors: all.Collectors, Checks: check.All(), Now: p.now}
		syntax := r.Checks[slices.IndexFunc(r.Checks, func(c *audit.Check) bool { return c.ID == "script-syntax" })]
		_, found := r.Bisect(t.Context(), tx, syntax, "scripts/tools/w.sh")
		return errors.Join(err, found)
	})
	if err != nil {
		t.Error(err)
	}
}

// sameRun compares two runs of the same day.
func sameRun(t *testing.T, name string, got, want *report.Document) {
	t.Helper()
	status := func(d *report.Document) (out []string) {
		for _, f := range d.Findings {
			out = append(out, f.Item+" "+f.Check+" "+f.Status)
		}
		for _, it := range d.Items {
			out = append(out, it.Key+" "+it.Change+" "+it.Level)
		}
		for _, r := range d.Regressions {
			out = append(out, r.Item+" "+r.Code+" "+r.Since.Run)
		}
		return append(out, fmt.Sprint(len(d.Changes), d.Gate.Exit, *d.Score.Value))
	}
	a, b := status(got), status(want)
	for i := range a { // the run has another id each time
		a[i] = strings.ReplaceAll(a[i], got.Run.ID, "now")
	}
	for i := range b {
		b[i] = strings.ReplaceAll(b[i], want.Run.ID, "now")
	}
	if !slices.Equal(a, b) {
		t.Errorf("%s: %q\nwant %q", name, a, b)
	}
}

// claimsNothing looks for what a run says of the past that it does not know, and
// for what it should have seen.
func claimsNothing(t *testing.T, name string, d, want *report.Document) {
	t.Helper()
	if d.Gate.Exit != report.ExitDamaged || d.Run.Seq != 0 || d.Run.Past != "lost" || len(d.Errors) == 0 || d.Errors[0].Source != "store" {
		t.Errorf("%s: exit %d, seq %d, past %s, errors %v", name, d.Gate.Exit, d.Run.Seq, d.Run.Past, d.Errors)
	}
	if len(d.Changes)+len(d.Regressions)+len(d.Recovery.Steps) > 0 || d.Score.Delta != nil || d.Score.ComparedTo != nil {
		t.Errorf("%s: %d changes, %d regressions, %d steps, delta %v", name, len(d.Changes), len(d.Regressions), len(d.Recovery.Steps), d.Score.Delta)
	}
	open := map[string]bool{}
	for _, f := range want.Findings {
		open[f.ID] = f.Status != string(audit.Resolved)
	}
	seen := 0
	for _, f := range d.Findings {
		if f.Status != string(audit.Persisting) || f.Regression {
			t.Errorf("%s: %s of %s is %s", name, f.Check, f.Item, f.Status)
		}
		if seen++; !open[f.ID] {
			t.Errorf("%s: %s of %s is found only without memory", name, f.Check, f.Item)
		}
	}
	if got := scriptsWith(d, "script-syntax"); !slices.Equal(got, []string{"scripts/tools/w.sh", "scripts/tools/x.sh", "scripts/tools/y.sh"}) {
		t.Errorf("%s: found %v", name, got)
	}
	keys := map[string]bool{}
	for _, it := range d.Items {
		keys[it.Key] = true
		if it.Change != "unknown" {
			t.Errorf("%s: %s is %s", name, it.Key, it.Change)
		}
	}
	for _, it := range want.Items {
		if !keys[it.Key] {
			t.Errorf("%s: %s was not looked at", name, it.Key)
		}
	}
}

// scriptsWith returns the items with an open finding of a check.
func scriptsWith(d *report.Document, check string) []string {
	out := map[string]bool{}
	for _, f := range d.Findings {
		if f.Check == check && f.Status != string(audit.Resolved) && snapshot.Key(f.Item).System() == snapshot.Scripts {
			out[f.Item] = true
		}
	}
	return slices.Sorted(maps.Keys(out))
}
