package pm2

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/ecosystem"
	"healthaudit/snapshot/analyze/lazyregexp"
)

// missing stands for a variable that the process does not have.
const missing = "\x00missing"

var plainName = lazyregexp.New(`^[\w.@-]+$`)

// A drift compares one app.
type drift struct {
	app       *snapshot.Item
	declared  map[string]snapshot.Value // as it stands in the file
	effective map[string]snapshot.Value // what PM2 makes of it
	varies    []string
	told      bool // pm2-instances-short says where fewer run than are declared
	out       []difference
}

func newDrift(app *snapshot.Item, told bool) *drift {
	d := &drift{app: app, told: told, declared: map[string]snapshot.Value{}}
	for _, f := range app.Facts.All() {
		if name, ok := strings.CutPrefix(f.Name, "declared."); ok {
			d.declared[name] = f.Value
		}
	}
	d.varies = d.declared["varies"].Strings()
	d.effective = ecosystem.Effective(d.declared)
	return d
}

// comparable reports whether a setting can be compared: it does not depend on
// where the file is read, and what runs is not hidden by a variable of its name
// (PM2 keeps both in one object).
func (d *drift) comparable(key string) bool {
	_, shadowed := d.app.Fact("env." + key)
	return !shadowed && !slices.Contains(d.varies, key) && !slices.Contains(d.varies, "*")
}

func (d *drift) found() []difference {
	d.program()
	d.arguments()
	d.mode()
	for _, key := range []string{"cron_restart", "max_memory_restart", "autorestart", "watch"} {
		if key == "watch" && d.app.State == "stopped" { // pm2 stop ends it
			continue
		}
		d.setting(key, true)
	}
	for _, key := range []string{"min_uptime", "max_restarts", "restart_delay", "exp_backoff_restart_delay", "kill_timeout", "listen_timeout", "wait_ready", "stop_exit_codes"} {
		d.setting(key, false)
	}
	d.variables()
	return d.out
}

func (d *drift) add(x difference) { d.out = append(d.out, x) }

// setting compares one that PM2 keeps as it is declared. What is not declared is
// compared only where both sides have it: pm2 start FILE takes some by flag.
func (d *drift) setting(key string, both bool) {
	want, ok := d.effective[key]
	if !d.comparable(key) || !ok && !both {
		return
	}
	is, _ := d.app.Fact(key)
	if off(want) && off(is) || same(want, is) {
		return
	}
	d.add(difference{name: key, declared: shownValue(key, want), runs: shownValue(key, is), minor: !both || key == "watch", recreate: !ok})
}

// off reports whether a value means that there is no such thing.
func off(v snapshot.Value) bool {
	switch x := v.Any().(type) {
	case string:
		return x == "" || x == "0" || x == "false"
	case float64:
		return x == 0
	case bool:
		return !x
	case []string:
		return len(x) == 0
	}
	return false
}

// same compares values loosely: PM2 keeps numbers as texts, by version.
func same(a, b snapshot.Value) bool { return a.Str() == b.Str() }

// shownValue writes a value for a person: bytes in the unit of the file.
func shownValue(key string, v snapshot.Value) string {
	n, ok := v.Num()
	if key != "max_memory_restart" || !ok || n == 0 {
		return v.Str()
	}
	return fmt.Sprintf("%.4g MB", n/(1<<20))
}

// program compares what is run, by its name: PM2 resolves paths and links.
func (d *drift) program() {
	if !d.comparable("script") {
		return
	}
	runs := path.Base(strings.ReplaceAll(text(d.app, "script"), `\`, "/"))
	if d.declared["command"].IsTrue() {
		switch want, is := d.declared["script.hash"].Str(), text(d.app, "script.hash"); {
		case is == "" && runs != "bash" && runs != "sh":
			d.add(difference{name: "script", declared: "a command line", runs: runs, recreate: true})
		case want != "" && want != is:
			d.add(difference{name: "script"})
		}
		return
	}
	script := d.declared["script"].Str()
	if script == "" {
		return
	}
	if script == "serve" {
		script = "Serve.js"
	}
	if want := path.Base(script); want != runs {
		d.add(difference{name: "script", declared: want, runs: runs, recreate: true})
	}
	d.interpreter(script)
}

// interpreter compares a declared one, by its name. PM2 itself replaces those of
// nvm (node@20), of CoffeeScript, and python where there is only python3.
func (d *drift) interpreter(script string) {
	want := path.Base(d.declared["exec_interpreter"].Str())
	is := path.Base(text(d.app, "exec_interpreter"))
	switch {
	case d.declared["exec_interpreter"].Str() == "" || is == "." || !d.comparable("exec_interpreter"):
	case strings.Contains(want, "@") || want == "lsc" || want == "coffee" || want == is || strings.HasPrefix(is, want) && want == "python":
	default:
		d.add(difference{name: "interpreter", declared: want, runs: is, recreate: true})
	}
}

func (d *drift) arguments() {
	if d.declared["command"].IsTrue() { // they are PM2's own
		return
	}
	for _, key := range []string{"args", "node_args"} {
		want, is := d.declared[key+".hash"].Str(), text(d.app, key+".hash")
		if want == is || !d.comparable(key) || key == "node_args" && strings.HasSuffix(text(d.app, "script"), ".ts") { // PM2 adds --experimental-strip-types
			continue
		}
		x := difference{name: key, declared: d.declared[key].Str(), runs: text(d.app, key), recreate: want == ""}
		if x.declared == x.runs { // they differ in what is masked
			x.declared, x.runs = "", ""
		}
		d.add(x)
	}
}

// mode compares how many processes run, and whether as a cluster. Without
// exec_mode PM2 decides by instances and interpreter (lib/Common.js
// determineExecMode).
func (d *drift) mode() {
	n, counted := d.effective["instances"].Num()
	if !d.comparable("instances") {
		return
	}
	want := d.effective["exec_mode"].Str()
	if want == "" {
		want = "fork_mode"
		node := strings.HasSuffix(text(d.app, "exec_interpreter"), "node") || strings.HasSuffix(text(d.app, "exec_interpreter"), "bun")
		if counted && n >= -1 && node {
			want = "cluster_mode"
		}
	}
	if is := text(d.app, "exec_mode"); is != "" && is != want && d.comparable("exec_mode") {
		d.add(difference{name: "exec_mode", declared: strings.TrimSuffix(want, "_mode"), runs: strings.TrimSuffix(is, "_mode"), recreate: true})
	}
	processes, _ := d.app.Fact("processes")
	is, ok := processes.Num()
	if !counted {
		n = 1
	}
	if ok && n >= 1 && (is > n || is < n && !d.told) {
		d.add(difference{name: "instances", declared: snapshot.Number(n).Str(), runs: snapshot.Number(is).Str(), recreate: true})
	}
}

// variables compares the declared variables: those of env, and, where the app was
// started with --env, those of one further block over them. The block with which
// the fewest differ is the one that was chosen.
func (d *drift) variables() {
	blocks := []string{""}
	for key := range d.declared {
		block, _, ok := strings.Cut(key, ".")
		if ok && strings.HasPrefix(block, "env_") && !slices.Contains(blocks, block) {
			blocks = append(blocks, block)
		}
	}
	slices.Sort(blocks)
	var best []difference
	for i, block := range blocks {
		if found := d.block(block); i == 0 || len(found) < len(best) {
			best = found
		}
	}
	d.out = append(d.out, best...)
}

func (d *drift) block(block string) (out []difference) {
	want := map[string]string{}
	for _, b := range []string{"env", block} {
		for key, v := range d.declared {
			if name, ok := strings.CutPrefix(key, b+"."); ok && b != "" {
				want[name] = v.Str()
				if slices.Contains(d.varies, key) {
					want[name] = ""
				}
			}
		}
	}
	unset, _ := d.app.Fact("env-unset")
	for name, hash := range want {
		if hash == "" || d.owned(name) {
			continue
		}
		switch is, ok := d.app.Fact("env." + name); {
		case slices.Contains(unset.Strings(), name):
			out = append(out, difference{name: "env " + name, runs: missing})
		case ok && is.Str() != hash:
			out = append(out, difference{name: "env " + name})
		}
	}
	slices.SortFunc(out, func(a, b difference) int { return strings.Compare(a.name, b.name) })
	return out
}

// owned reports whether PM2 itself gives a variable its value, whatever the
// block says: the port of the setting, a number per instance, the home of a user.
func (d *drift) owned(name string) bool {
	_, port := d.declared["port"]
	_, uid := d.declared["uid"]
	return name == "PORT" && port || name == "HOME" && uid || name == "PYTHONUNBUFFERED" ||
		name == d.declared["increment_var"].Str() || name == d.effective["instance_var"].Str() || slices.Contains(d.varies, "env") || slices.Contains(d.varies, "*")
}
