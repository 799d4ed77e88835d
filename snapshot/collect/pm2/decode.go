package pm2

import (
	"math"
	"slices"
	"strings"

	"healthaudit/snapshot/analyze/ecosystem"
	"healthaudit/snapshot/analyze/jsontext"
)

// A process is what is decoded of one entry of getMonitorData: the allow-list.
// Everything else of it, above all the environment, which stands there twice,
// is looked at only by the name of a known variable, and hashed.
type process struct {
	Name, Namespace string // as shown: see ecosystem.ShownName
	RawName         string // as PM2 knows it: never shown
	PMID            int
	PID             int    // 0: none
	Status          string // online, errored, stopped, launching, …
	Instance        string // NODE_APP_INSTANCE, "" when it has none
	UniqueID        string
	Module          bool // a PM2 module, not an app

	Restarts, Unstable float64
	UptimeSince        float64 // pm_uptime: milliseconds since 1970 of the last start; 0 unknown
	Created            float64 // created_at: the same of the last commanded start; 0 after PM2 gave up
	Backoff            float64 // prev_restart_delay: milliseconds that PM2 last waited before it started it again; 0 none
	ExitCode           string  // "" when it never exited
	EventLoop          float64 // milliseconds of latency of its event loop, 95th percentile; 0 unknown
	Burst              float64 // restarts that nobody asked for between the two looks of one run, or as many as fit between: see known
	Memory             int64   // bytes, as PM2 measured

	ExecPath, Cwd  string
	Args, NodeArgs []string
	Version, Node  string
	Port           int                 // value of the variable PORT, which may be shown; 0: none, or no port
	Settings       []ecosystem.Setting // stable configuration, by key, sorted
	Env            []ecosystem.Hashed  // names and keyed hashes, sorted

	// Pieces of the whole answer, as are the names of Env: nothing else is one.
	flat fields // the entry without what was read as a variable: see variable
	vars fields // the variables
}

// has reports whether PM2 has anything of that name for the process.
func (p *process) has(name string) bool {
	_, env := p.vars[name]
	_, flat := p.flat[name]
	return env || flat
}

// variable returns the keyed hash of a variable that is known to be one. A
// restart by file leaves the variables of the shell only beside the settings,
// where nothing tells them from settings but their name (seen with 7.0.4).
func (p *process) variable(name string, hash func(string) string) (string, bool) {
	v, ok := p.flat[name]
	if !ok || slices.Contains(own, name) || slices.Contains(stable, name) {
		return "", false
	}
	return hash(loose(v)), true
}

// stable are the settings of pm2_env that mean something and change only by
// configuration (lib/API/schema.json, lib/God.js). Two of them PM2 also changes
// by itself, so they are never compared: a resurrected app has no instances, and
// a restart by file sets merge_logs (seen with 7.0.4).
var stable = []string{
	"exec_mode", "exec_interpreter", "instances", "autorestart", "autostart", "cron_restart", "max_memory_restart", "max_restarts",
	"min_uptime", "restart_delay", "exp_backoff_restart_delay", "stop_exit_codes", "kill_timeout", "listen_timeout", "wait_ready",
	"shutdown_with_message", "treekill", "watch", "ignore_watch", "watch_delay", "merge_logs", "log_date_format", "log_type", "disable_logs",
	"pm_out_log_path", "pm_err_log_path", "pm_log_path", "instance_var", "username", "uid", "gid", "port",
}

// ambient are variables of the shell that happened to start an app: they
// change with the terminal, not with the app. Prefixes end in "_".
var ambient = []string{
	"_", "PWD", "OLDPWD", "SHLVL", "TERM", "COLORTERM", "COLUMNS", "LINES", "LS_COLORS", "WINDOWID", "DISPLAY", "HISTFILE", "MAIL", "PS1",
	"TERM_", "SSH_", "XDG_", "DBUS_", "SUDO_", "TMUX_", "TMUX", "STY", "VSCODE_", "npm_", "INVOCATION_ID", "JOURNAL_STREAM",
	"PM2_", "unique_id", "NODE_APP_INSTANCE", "pm_id", "NODE_CHANNEL_FD", "NODE_UNIQUE_ID", "updateEnv",
}

func isAmbient(name string) bool {
	return slices.ContainsFunc(ambient, func(a string) bool {
		return name == a || len(a) > 1 && strings.HasSuffix(a, "_") && strings.HasPrefix(name, a)
	})
}

// decodeList decodes the answer of getMonitorData. Entries that are no process
// are counted, not guessed at.
func decodeList(raw []string, hash func(string) string) (list []process, odd int) {
	for _, r := range raw {
		if p, ok := decodeProcess(r, hash); ok {
			list = append(list, p)
		} else {
			odd++
		}
	}
	return list, odd
}

// own are keys that PM2 itself always sets last, whatever the environment holds.
var own = []string{
	"unique_id", "status", "namespace", "NODE_APP_INSTANCE", "restart_time", "unstable_restarts", "pm_uptime", "created_at",
	"pm_exec_path", "pm_cwd", "exec_mode",
}

// topKeys are what is read of an entry of the list, beside the settings.
var topKeys = []string{"name", "pm_id", "pid", "pm2_env", "monit"}

func decodeProcess(raw string, hash func(string) string) (process, bool) {
	top, _ := some(raw, topKeys)
	e, ok := object(top["pm2_env"])
	if !ok {
		return process{}, false
	}
	env, _ := object(e["env"]) // absent or of another shape: no variables
	// The environment is merged over the same object: a key that stands in both
	// with one value may be a variable, not a setting.
	for k := range env {
		if v, ok := e[k]; ok && !slices.Contains(own, k) && v == env[k] {
			delete(e, k)
		}
	}
	p := process{
		Name: top.text("name"), Namespace: e.text("namespace"), PMID: int(top.number("pm_id")), PID: int(top.number("pid")),
		Status: e.text("status"), Instance: e.text("NODE_APP_INSTANCE"), UniqueID: e.text("unique_id"), Module: e.truth("pmx_module"),
		Restarts: e.number("restart_time"), Unstable: e.number("unstable_restarts"),
		UptimeSince: e.number("pm_uptime"), Created: e.number("created_at"), ExitCode: e.text("exit_code"),
		Backoff: max(e.number("prev_restart_delay"), 0), EventLoop: e.eventLoop(),
		ExecPath: e.text("pm_exec_path"), Cwd: e.text("pm_cwd"), Args: e.list("args"), NodeArgs: e.list("node_args"),
		Version: e.text("version"), Node: e.text("node_version"),
	}
	if p.Name == "" {
		return process{}, false
	}
	p.RawName = p.Name
	p.Name = ecosystem.ShownName(p.Name, commandLine(p.Args))
	if p.Namespace == "" {
		p.Namespace = "default"
	}
	p.flat, p.vars = e, env
	if n := env.number("PORT"); n == math.Trunc(n) && n > 0 && n < 1<<16 {
		p.Port = int(n)
	}
	monit, _ := object(top["monit"])
	p.Memory = int64(monit.number("memory"))
	for _, k := range stable {
		if v, ok := e.value(k); ok {
			p.Settings = append(p.Settings, ecosystem.Setting{Key: k, Value: v})
		}
	}
	for name, v := range env {
		if !isAmbient(name) && name != p.RawName { // PM2 adds a variable named like the app
			p.Env = append(p.Env, ecosystem.Hashed{Name: name, Hash: hash(loose(v))})
		}
	}
	slices.SortFunc(p.Env, func(a, b ecosystem.Hashed) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(p.Settings, func(a, b ecosystem.Setting) int { return strings.Compare(a.Key, b.Key) })
	return p, true
}

// setting returns a setting as text, "" when it has none.
func (p *process) setting(key string) string {
	for _, s := range p.Settings {
		if s.Key == key {
			return s.Value.Str()
		}
	}
	return ""
}

// commandLine returns the shell command line that PM2 wrapped in bash -c, or "".
func commandLine(args []string) string {
	if len(args) == 2 && args[0] == "-c" {
		return args[1]
	}
	return ""
}

// A dumped is what is read of one entry of dump.pm2: which app, whether it was
// meant to run, and what it would be started with.
type dumped struct {
	Name, Namespace, Status string
	ExecPath, Cwd           string
	Args                    []string
	PIDFile                 string // as it was named when the list was saved
}

// decodeDump decodes dump.pm2; ok is false when PM2 could not read it either.
func decodeDump(text string) (list []dumped, ok bool) {
	if !jsontext.Valid(text) {
		return nil, false
	}
	raw, ok := array(text)
	if !ok {
		return nil, false
	}
	for _, r := range raw {
		e, ok := some(r, dumpKeys)
		if !ok && r != "null" {
			return nil, false
		}
		d := dumped{
			Name: e.text("name"), Namespace: e.text("namespace"), Status: e.text("status"),
			ExecPath: e.text("pm_exec_path"), Cwd: e.text("pm_cwd"), Args: e.list("args"), PIDFile: e.text("pm_pid_path"),
		}
		if d.Name == "" || e.truth("pmx_module") {
			continue
		}
		d.Name = ecosystem.ShownName(d.Name, commandLine(d.Args))
		if d.Namespace == "" {
			d.Namespace = "default"
		}
		list = append(list, d)
	}
	return list, true
}

// dumpKeys are what is read of an entry of the dump.
var dumpKeys = []string{"name", "namespace", "status", "pm_exec_path", "pm_cwd", "args", "pm_pid_path", "pmx_module"}
