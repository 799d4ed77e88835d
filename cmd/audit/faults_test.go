//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"healthaudit/report"
	"healthaudit/snapshot/collect/collecttest"
)

var (
	faultSeed  = flag.Uint64("faults.seed", 0, "seed of the faults; 0 takes a new one")
	faultKills = flag.Int("faults.kills", 20, "runs to kill; the full harness is 200")
	faultFlips = flag.Int("faults.flips", 40, "stores to damage; the full harness is 1000")
	faultDisks = flag.Int("faults.disks", 10, "sizes at which the disk is full; the full harness is 1000, which is every write")
)

// faults returns a source whose seed stands in the log of a failing test.
func faults(t *testing.T) *rand.Rand {
	t.Helper()
	if testing.Short() {
		t.Skip("it starts the program too often for a short run")
	}
	seed := *faultSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("to repeat: -faults.seed=%d", seed)
	return rand.New(rand.NewPCG(seed, 3))
}

// TestKilled: a run that is killed at any point loses no more than itself.
func TestKilled(t *testing.T) {
	r := faults(t)
	dir := site(t)
	_, first := document(t, dir, nil)
	kept := 1
	for i := range *faultKills {
		collecttest.WriteFile(t, dir, "scripts/new.sh", fmt.Appendf(nil, "echo %d\n", i))
		cmd := exec.Command("audit", "--root", dir, "-q", "--fail-on", "never")
		cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=/nonexistent"}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(time.Duration(r.Int64N(int64(first.took))), func() { cmd.Process.Kill() })
		if cmd.Wait() == nil {
			kept++
		}
		timer.Stop()
		if v := invoke(t, dir, nil, "--root", dir, "store", "verify"); v.code != exitOK {
			t.Fatalf("after kill %d: exit %d\n%s%s", i, v.code, v.out, v.err)
		}
		rows := snapshots(t, dir) // the retention may have taken older ones
		if newest := int(rows[len(rows)-1].Seq); newest < kept || newest > kept+1 {
			t.Fatalf("after kill %d: the newest is #%d, #%d was kept before", i, newest, kept)
		} else {
			kept = newest // one may be killed after it was kept
		}
	}
	if _, r := document(t, dir, nil); r.code != exitOK && r.code != exitGate {
		t.Errorf("the next run: exit %d %s", r.code, r.err)
	}
	left, _ := filepath.Glob(filepath.Join(dir, ".audit", "audit-stage-*"))
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func snapshots(t *testing.T, dir string) (rows []report.SnapshotRow) {
	t.Helper()
	l := invoke(t, dir, nil, "--root", dir, "list", "--format", "json")
	if err := json.Unmarshal([]byte(l.out), &rows); err != nil {
		t.Fatalf("exit %d %s: %v", l.code, l.err, err)
	}
	return rows
}

// TestDiskFullAtEveryWrite: wherever the disk is full, the run says so, nothing of
// it is kept, what was there stays as it was, and with room the next run succeeds.
func TestDiskFullAtEveryWrite(t *testing.T) {
	r := faults(t)
	dir := site(t)
	document(t, dir, nil)
	path := filepath.Join(dir, ".audit", "audit.db")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 60 {
		collecttest.WriteFile(t, dir, fmt.Sprintf("scripts/more%d.sh", i), []byte("echo "+strings.Repeat(noise()+" ", 40)+"\n"))
	}
	before := invoke(t, dir, nil, "--root", dir, "report", "latest", "--format", "json").out
	room := 2048 // blocks of 512 bytes that the run may write into any one file, and more than it needs
	step := max(1, room / *faultDisks)
	full := 0
	for limit := 0; limit < room; limit += 1 + r.IntN(2*step) {
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("sh", "-c", fmt.Sprintf("ulimit -f %d; trap '' XFSZ; exec %s --root %s -q --fail-on never", limit, exePath(t), dir))
		cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=/nonexistent"}
		out, _ := cmd.CombinedOutput()
		switch code := cmd.ProcessState.ExitCode(); {
		case code == exitOK:
			continue
		case code != exitAction || bytes.Contains(out, []byte("goroutine ")):
			t.Errorf("room for %d blocks: exit %d: %s", limit, code, out)
		}
		full++
		if v := invoke(t, dir, nil, "--root", dir, "store", "verify"); v.code != exitOK {
			t.Errorf("room for %d blocks: verify exits %d: %s%s", limit, v.code, v.out, v.err)
		}
		if now := invoke(t, dir, nil, "--root", dir, "report", "latest", "--format", "json"); now.out != before {
			t.Errorf("room for %d blocks: the last report is another now (exit %d %s)", limit, now.code, now.err)
		}
	}
	if full == 0 {
		t.Error("the disk was never full")
	}
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if d, _ := document(t, dir, nil); d.Run.Seq != 2 {
		t.Errorf("the next run is #%d, want #2", d.Run.Seq)
	}
	t.Logf("full at %d sizes", full)
}

// TestDamagedStores: of a store of real runs that is damaged anywhere every
// command gives the right answer or says that it cannot, and a repair ends in a
// sound store or says that nothing can be saved.
func TestDamagedStores(t *testing.T) {
	r := faults(t)
	dir := site(t)
	for i := range 4 {
		collecttest.WriteFile(t, dir, "scripts/new.sh", fmt.Appendf(nil, "echo %d\n", i))
		document(t, dir, nil)
	}
	path := filepath.Join(dir, ".audit", "audit.db")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	commands := [][]string{{"report", "latest", "--format", "json"}, {"report", "#2", "--format", "json"}, {"list", "--format", "json"},
		{"diff", "#1", "#4", "--format", "json"}, {"history", "scripts/scripts/new.sh", "--format", "json"}, {"journal", "--format", "json"}}
	want := map[string]run{}
	for _, c := range commands {
		want[c[0]+c[1]] = invoke(t, dir, nil, append([]string{"--root", dir}, c...)...)
	}
	told, right := 0, 0
	for i := range *faultFlips {
		b := bytes.Clone(whole)
		if i%4 == 3 {
			b = b[:r.IntN(len(b))]
		} else {
			b[r.IntN(len(b))] ^= 1 << r.IntN(8)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		c := commands[i%len(commands)]
		got, w := invoke(t, dir, nil, append([]string{"--root", dir}, c...)...), want[c[0]+c[1]]
		switch {
		case got.code == exitDamaged:
			told++
		case got.code == w.code && got.out == w.out:
			right++
		default:
			t.Errorf("damage %d: %v exits %d: a wrong answer\n%.300s", i, c, got.code, got.err)
		}
		if i%5 > 0 {
			continue
		}
		rep := invoke(t, dir, nil, "--root", dir, "store", "verify", "--repair")
		if rep.code != exitOK && rep.code != exitDamaged {
			t.Errorf("damage %d: repair exits %d: %s", i, rep.code, rep.err)
		}
		if v := invoke(t, dir, nil, "--root", dir, "store", "verify"); rep.code == exitOK && v.code != exitOK && !strings.Contains(v.out, "journal") {
			t.Errorf("damage %d: after a repair verify exits %d: %s%s\nthe repair said: %s", i, v.code, v.out, v.err, rep.out)
		}
	}
	t.Logf("%d stores: %d commands said that it is damaged, %d gave the right answer", *faultFlips, told, right)
}
