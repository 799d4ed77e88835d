package healthaudit_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"healthaudit/snapshot/cron"
)

// A cronFile is what crontab(5) makes of a file.
type cronFile struct {
	env  []string // NAME=value
	jobs []cronJob
}

type cronJob struct{ schedule, command string }

var (
	cronEnv   = regexp.MustCompile(`^([A-Z][A-Z0-9_]*)=(.*)$`)
	cronJob5  = regexp.MustCompile(`^((?:\S+\s+){4}\S+)\s+(.*)$`)
	commented = regexp.MustCompile(`(?m)^#   (audit cron print .*?)\s*(?:\(.*)?$`)
)

func readCrontab(t *testing.T) cronFile {
	t.Helper()
	b, err := os.ReadFile("crontab.example")
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	if !strings.HasSuffix(text, "\n") {
		t.Error("no newline at the end: some crons ignore the last line")
	}
	var f cronFile
	for i, line := range strings.Split(text, "\n") {
		switch m := cronJob5.FindStringSubmatch(line); {
		case line == "" || strings.HasPrefix(line, "#"):
		case cronEnv.MatchString(line):
			f.env = append(f.env, line)
		case m != nil:
			f.jobs = append(f.jobs, cronJob{m[1], m[2]})
		default:
			t.Errorf("line %d is no crontab line: %s", i+1, line)
		}
	}
	// The commands in the comment at the end are examples as well.
	for _, m := range commented.FindAllStringSubmatch(text, -1) {
		f.jobs = append(f.jobs, cronJob{"", m[1]})
	}
	return f
}

func TestCrontabExample(t *testing.T) {
	f := readCrontab(t)
	if len(f.jobs) < 4 {
		t.Fatalf("%d jobs", len(f.jobs))
	}
	for _, name := range []string{"SHELL=", "PATH=", "MAILTO=", "PM2_HOME="} {
		if !strings.Contains("\n"+strings.Join(f.env, "\n"), "\n"+name) {
			t.Errorf("no line %s", name)
		}
	}
	for _, j := range f.jobs {
		if strings.Contains(strings.ReplaceAll(j.command, `\%`, ""), "%") {
			t.Errorf("%s: cron ends the command at an unescaped %%", j.command)
		}
		if j.schedule == "" {
			continue
		}
		s, err := cron.Parse(cron.Crontab, j.schedule)
		if err != nil {
			t.Errorf("%s: %v", j.schedule, err)
			continue
		}
		if s.PerDay() > 24*60 {
			t.Errorf("%s: runs more often than each minute", j.schedule)
		}
		minute := strings.Fields(j.schedule)[0]
		for _, m := range strings.Split(minute, ",") {
			if m == "0" || m == "30" || strings.HasPrefix(m, "*") {
				t.Errorf("%s: starts when everybody starts something", j.schedule)
			}
		}
	}
}

// Every command of the example works on the sample project, in cron's
// environment: the shell, the variables of the file, another working directory.
func TestCrontabExampleCommands(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no cron here")
	}
	program := auditBinary(t)
	dir := t.TempDir()
	shop := filepath.Join(dir, "shop")
	if err := os.CopyFS(shop, os.DirFS("testdata/site")); err != nil {
		t.Fatal(err)
	}
	bin, log := filepath.Join(dir, "bin"), filepath.Join(dir, "calls")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	// Stands between the command and the program, because `||` hides exit codes.
	shim := "#!/bin/sh\n'" + program + "' \"$@\"\ncode=$?\necho \"$code $*\" >> '" + log + "'\nexit $code\n"
	if err := os.WriteFile(filepath.Join(bin, "audit"), []byte(shim), 0o755); err != nil {
		t.Fatal(err)
	}
	f := readCrontab(t)
	env := append([]string{"HOME=" + dir, "LOGNAME=deploy"}, f.env...)
	env = append(env, "PATH="+bin+":/usr/local/bin:/usr/bin:/bin", "AUDIT_ROOT="+shop, "PM2_HOME="+filepath.Join(dir, "no-pm2"))
	calls := 0
	for _, j := range f.jobs {
		cmd := exec.Command("/bin/sh", "-c", strings.ReplaceAll(j.command, `\%`, "%"))
		cmd.Dir, cmd.Env = dir, env
		out, err := cmd.CombinedOutput()
		if _, failed := err.(*exec.ExitError); err != nil && !failed {
			t.Fatal(err)
		}
		b, err := os.ReadFile(log)
		if err != nil {
			t.Fatalf("%s: audit was not called: %s", j.command, out)
		}
		lines := strings.Split(strings.TrimSpace(string(b)), "\n")
		if len(lines) == calls {
			t.Errorf("%s: audit was not called: %s", j.command, out)
		}
		for _, call := range lines[calls:] {
			code, args, _ := strings.Cut(call, " ")
			// A run may fail its gate; nothing else may fail.
			if code != "0" && (code != "1" || !strings.HasPrefix(args, "run")) {
				t.Errorf("%s: audit %s exits %s: %s", j.command, args, code, out)
			}
		}
		calls = len(lines)
	}
}
