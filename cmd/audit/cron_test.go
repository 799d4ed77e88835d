package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"healthaudit/snapshot/cron"
)

// Every rhythm that --every takes is what it says, in both dialects, and starts
// neither at the full nor at the half hour.
func TestCronEvery(t *testing.T) {
	for _, every := range []time.Duration{time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 12 * time.Minute, 15 * time.Minute, 20 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 24 * time.Hour} {
		for _, systemd := range []bool{false, true} {
			for n := range 8 {
				f := &cronFlags{Every: every, Systemd: systemd}
				text, err := f.when(fmt.Sprintf("/srv/%d", n))
				if err != nil {
					t.Fatalf("%s: %v", every, err)
				}
				d := cron.Crontab
				if systemd {
					d = cron.Systemd
				}
				s, err := cron.Parse(d, text)
				if err != nil {
					t.Fatalf("%s: %q: %v", every, text, err)
				}
				if want := float64(24*time.Hour) / float64(every); s.PerDay() != want {
					t.Errorf("%s: %q starts %g times a day, want %g", every, text, s.PerDay(), want)
				}
				if at, _ := s.Next(fixedNow()); every > time.Minute && at.Minute()%30 == 0 {
					t.Errorf("%s: %q starts at %s, as everybody does", every, text, at)
				}
			}
		}
	}
	for _, bad := range []time.Duration{0, time.Second, 90 * time.Second, 7 * time.Minute, 90 * time.Minute, 5 * time.Hour, 48 * time.Hour, -time.Hour} {
		if text, err := (&cronFlags{Every: bad}).when("/srv"); err == nil {
			t.Errorf("%s became %q", bad, text)
		}
	}
}

// hostile is a folder whose name means something to sh, cron and systemd.
const hostile = `sh'op "x" 50% $HOME \ %h`

// The units are what systemd itself reads, whatever the project is called.
func TestUnitsAreSystemds(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	root := filepath.Join(t.TempDir(), hostile)
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	a := &App{Process: &Process{Env: func(string) string { return "" }}}
	for _, system := range []bool{false, true} {
		j := &cronJob{root: root, schedule: "*:07/15", env: [][2]string{{"PATH", "/usr/bin:/bin"}, {"PM2_HOME", root}}, argv: []string{"/bin/echo", "--root", root, "--quiet", "run"}}
		u := newUnits(a, j, system)
		u.dir = t.TempDir()
		if err := u.put(map[string][]byte{u.files()[0][0]: []byte(u.service), u.files()[1][0]: []byte(u.timer)}); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(analyze, "verify", "--man=no", u.files()[0][0], u.files()[1][0])
		cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+t.TempDir())
		if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), u.name) {
			t.Errorf("systemd-analyze verify: %v\n%s\n%s", err, out, u.text())
		}
	}
}

// A shell that gets the line as cron gives it out starts audit with exactly these
// words and variables.
func TestCronLineInShells(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no cron here")
	}
	j := &cronJob{root: "/srv/" + hostile, schedule: "7 * * * *", env: [][2]string{{"PM2_HOME", "/x/" + hostile}}, argv: []string{"printf", "<%s>", "--root", "/srv/" + hostile, "run"}}
	block, err := j.block()
	if err != nil {
		t.Fatal(err)
	}
	_, command, _ := strings.Cut(strings.Split(block, "\n")[1], "  ")
	if strings.Contains(strings.ReplaceAll(command, `\%`, ""), "%") {
		t.Fatalf("cron ends the command at a %%: %s", command)
	}
	ran := 0
	for _, name := range []string{"sh", "dash", "bash", "zsh", "fish", "ksh"} {
		shell, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		ran++
		out, err := exec.Command(shell, "-c", strings.ReplaceAll(command, `\%`, "%")).Output()
		if want := "<--root></srv/" + hostile + "><run>"; err != nil || string(out) != want {
			t.Errorf("%s: %v\n%s\nwant\n%s", name, err, out, want)
		}
	}
	t.Logf("%d shells", ran)
	j.argv = append(j.argv, strings.Repeat("x", maxCronCommand))
	if _, err := j.block(); err == nil {
		t.Error("a line that is too long for cron was taken")
	}
}

// TestRealCrontab: Debian's crontab keeps what is given to it, and every other line
// is as it was. It runs in a mount namespace of its own, where the crontabs of this
// machine are not.
func TestRealCrontab(t *testing.T) {
	if testing.Short() {
		t.Skip("it needs a crontab command and a namespace of its own: make test runs it")
	}
	crontab, err := exec.LookPath(filepath.Join("..", "..", "build", "debian", "usr", "bin", "crontab"))
	if err != nil {
		t.Skip("no crontab in build/debian: make debian fetches it")
	}
	crontab, _ = filepath.Abs(crontab)
	home := t.TempDir()
	script := `set -e
mount -t tmpfs none /var/spool && mkdir -p /var/spool/cron/crontabs && chmod 1730 /var/spool/cron/crontabs || exit 99
cd "$HOME" && printf '# mine\n5 4 * * 1  true 50\\%% done\n' > want
crontab want
audit cron install
crontab -l | grep -q 'BEGIN audit' || { echo "the line is not there"; exit 1; }
audit cron install | grep -q 'already there'
audit cron status
audit cron install --every 1h
audit cron remove
crontab -l | cmp - want
crontab -r
audit cron install --quiet
audit cron remove --quiet
if crontab -l; then echo "a crontab was left behind"; exit 1; fi
`
	cmd := exec.Command("unshare", "-m", "sh", "-c", script)
	if os.Getuid() != 0 {
		cmd = exec.Command("unshare", "-rm", "sh", "-c", script)
	}
	cmd.Env = []string{"HOME=" + home, "AUDIT_ROOT=" + home, "LOGNAME=root", "PATH=" + filepath.Dir(crontab) + ":" + os.Getenv("PATH")}
	out, err := cmd.CombinedOutput()
	if x, ok := err.(*exec.ExitError); err != nil && (!ok || x.ExitCode() == 99 || strings.Contains(string(out), "unshare:")) {
		t.Skipf("no mount namespace here: %v %s", err, out)
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// Whatever stands in a crontab: what is installed is taken out again, and every
// other byte stays, but for the newline that a last line without one is given.
func FuzzCrontabCut(f *testing.F) {
	j := &cronJob{root: "/srv/shop", schedule: "7 * * * *", argv: []string{"audit"}}
	block, err := j.block()
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{"", "\n", "# mine\n5 4 * * * true\n", "no newline", block, "a\n" + block + "b\n", block[:40], markOf(j.root).end + "\n", block + block, markOf(j.root).end + "\n" + markOf(j.root).begin + byInstall + "\n", "\r\n" + block, markOf(j.root).begin + byInstall + "\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := j.cut(text)
		if err != nil {
			return
		}
		if c.before+c.own+c.after != text {
			t.Fatalf("%q was cut into %+v", text, *c)
		}
		without := c.with("")
		again, err := j.cut(c.with(block))
		if err != nil || again.own != block {
			t.Fatalf("%q: installed, then cut into %+v: %v", text, again, err)
		}
		if got := again.with(""); got != without && !(c.own == "" && got == without+"\n") && !(c.before != "" && !strings.HasSuffix(c.before, "\n") && got == c.before+"\n"+c.after) {
			t.Fatalf("%q became %q, want %q", text, got, without)
		}
	})
}

// Of two projects of which the name of one begins like the other's, each takes its
// own lines and no other; also those that an older audit wrote, without quotes.
func TestCronMarks(t *testing.T) {
	roots := []string{"/srv/x", "/srv/x: y", "/srv/x: " + byInstall, "/srv/x:", "/srv/x y", "/srv/'x'", "/srv/x'", "/srv/x' y", "/srv/x/y", "/srv"}
	old := func(j *cronJob) string {
		m := markOf(j.root)
		return m.begin + byInstall + "\n7 * * * *  audit\n" + m.end + "\n"
	}
	for _, root := range roots {
		j := &cronJob{root: root, schedule: "7 * * * *", argv: []string{"audit"}}
		block, err := j.block()
		if err != nil {
			t.Fatal(err)
		}
		for _, own := range []string{block, old(j)} {
			c, err := j.cut("# mine\n" + own + "# end\n")
			if err != nil || c.own != own {
				t.Errorf("%s: %v, %+v", root, err, c)
			}
			for _, other := range roots {
				if other == root {
					continue
				}
				c, err := (&cronJob{root: other}).cut(own)
				if err != nil || c.own != "" {
					t.Errorf("%s takes the lines of %s: %v, %+v", other, root, err, c)
				}
			}
		}
	}
}

// TestCronCutMarks: in every order of up to four marks, each in every place
// between lines of the user's, the lines outside of one block stay byte for byte
// where there is one BEGIN followed by one END; anything else is refused.
func TestCronCutMarks(t *testing.T) {
	j, other := &cronJob{root: "/srv/shop", schedule: "7 * * * *", argv: []string{"audit"}}, &cronJob{root: "/srv/shop2"}
	block, err := j.block()
	if err != nil {
		t.Fatal(err)
	}
	own, others := j.marks()[0], other.marks()[0]
	marks := map[byte]string{'B': own.begin + byInstall + "\n", 'E': own.end + "\n", 'b': others.begin + byInstall + "\n", 'e': others.end + "\n"}
	if c, err := j.cut(marks['E'] + marks['B']); err == nil {
		t.Errorf("an end and then a beginning were cut into %+v", *c)
	}
	orders := []string{""}
	for at := 0; at < len(orders); at++ {
		order := orders[at]
		var text, before, after strings.Builder
		own := strings.ContainsAny(order, "BE")
		one := strings.Count(order, "B") == 1 && strings.Count(order, "E") == 1 && strings.Index(order, "B") < strings.Index(order, "E")
		for n := range len(order) + 1 {
			line := fmt.Sprintf("%d 5 * * *  /usr/bin/mine\n", n)
			if n < len(order) {
				line += marks[order[n]]
			}
			text.WriteString(line)
			mine, _, _ := strings.Cut(line, marks['B'])
			switch first, last := strings.Index(order, "B"), strings.Index(order, "E"); {
			case !own || n <= first:
				before.WriteString(mine)
			case n > last:
				after.WriteString(line)
			}
		}
		c, err := j.cut(text.String())
		switch {
		case own && !one:
			if err == nil {
				t.Errorf("%s was cut into %+v", order, *c)
			}
		case err != nil:
			t.Errorf("%s: %v", order, err)
		case c.with("") != before.String()+after.String() || own && c.with(block) != before.String()+block+after.String():
			t.Errorf("%s was cut into %+v, want %q and %q around it", order, *c, before.String(), after.String())
		}
		for m := range marks {
			if len(order) < 4 {
				orders = append(orders, order+string(m))
			}
		}
	}
	t.Logf("%d orders", len(orders))
}
