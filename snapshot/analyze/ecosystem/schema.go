package ecosystem

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"healthaudit/snapshot/analyze/lazyregexp"
)

// A rule is one key of PM2's schema (lib/API/schema.json of 7.0.4). Types are
// the first letters of array, boolean, number, object, string; the first one
// counts as PM2's first.
type rule struct {
	key, types string
	aliases    []string
	pattern    func() *regexp.Regexp
	accepts    string // what pattern is, for a person
	min        float64
	unit       string // of min, with a space in front
	show       bool   // a setting that is worth a fact
}

var (
	bytesPattern = lazyregexp.New(`^\d+(G|M|K)?$`)
	timePattern  = lazyregexp.New(`^\d+(h|m|s)?$`)
	modePattern  = lazyregexp.New(`^(cluster|fork)(_mode)?$`)
	envPattern   = lazyregexp.New(`^env_\S*$`)
)

// schema lists the keys that are read. What may hold secrets and says nothing
// about the app's health (io, filter_env, post_update) is only looked at for
// its type, and deploy not at all.
var schema = []rule{
	{key: "script", types: "s", aliases: []string{"exec"}},
	{key: "name", types: "s"},
	{key: "namespace", types: "s"},
	{key: "cwd", types: "s"},
	{key: "args", types: "as"},
	{key: "exec_interpreter", types: "s", aliases: []string{"interpreter"}, show: true},
	{key: "node_args", types: "as", aliases: []string{"interpreterArgs", "interpreter_args"}},
	{key: "out_file", types: "s", aliases: []string{"out", "output", "out_log"}, show: true},
	{key: "error_file", types: "s", aliases: []string{"error", "err", "err_file", "err_log"}, show: true},
	{key: "log_file", types: "bs", aliases: []string{"log"}, show: true},
	{key: "disable_logs", types: "b", show: true},
	{key: "log_type", types: "s", show: true},
	{key: "log_date_format", types: "s", show: true},
	{key: "time", types: "b", show: true},
	{key: "env", types: "os"},
	{key: "max_memory_restart", types: "sn", pattern: bytesPattern, accepts: `a whole number of bytes, or one with K, M or G behind it ("300M")`, show: true},
	{key: "pid_file", types: "s", aliases: []string{"pid"}, show: true},
	{key: "restart_delay", types: "n", show: true},
	{key: "exp_backoff_restart_delay", types: "n", show: true},
	{key: "source_map_support", types: "b", show: true},
	{key: "wait_ready", types: "b", show: true},
	{key: "instances", types: "n", show: true},
	{key: "kill_timeout", types: "n", show: true},
	{key: "shutdown_with_message", types: "b", show: true},
	{key: "listen_timeout", types: "n", show: true},
	{key: "cron_restart", types: "sn", aliases: []string{"cron"}, show: true},
	{key: "merge_logs", types: "b", aliases: []string{"combine_logs"}, show: true},
	{key: "autostart", types: "b", show: true},
	{key: "autorestart", types: "b", show: true},
	{key: "stop_exit_codes", types: "an", show: true},
	{key: "watch_delay", types: "n", show: true},
	{key: "watch", types: "bas", show: true},
	{key: "ignore_watch", types: "as", show: true},
	{key: "min_uptime", types: "ns", pattern: timePattern, accepts: `a whole number of milliseconds, or one with s, m or h behind it ("5s")`, min: 100, unit: " milliseconds", show: true},
	{key: "max_restarts", types: "n", show: true},
	{key: "exec_mode", types: "s", pattern: modePattern, accepts: "cluster or fork", show: true},
	{key: "force", types: "b", show: true},
	{key: "append_env_to_name", types: "b", show: true},
	{key: "trace", types: "b", show: true},
	{key: "deep_monitoring", types: "b", show: true},
	{key: "increment_var", types: "s", show: true},
	{key: "instance_var", types: "s", show: true},
	{key: "automation", types: "b", show: true},
	{key: "treekill", types: "b", show: true},
	{key: "port", types: "n", show: true},
	{key: "username", types: "s", show: true},
	{key: "uid", types: "ns", aliases: []string{"user"}, show: true},
	{key: "gid", types: "ns", show: true},
	{key: "kill_retry_time", types: "n", show: true},
	{key: "execute_command", types: "b", show: true},
	// A value of another type refuses the file; nothing else is made of them.
	{key: "name_prefix", types: "s"},
	{key: "filter_env", types: "bas"},
	{key: "install_url", types: "s"},
	{key: "disable_source_map_support", types: "b"},
	{key: "vizion", types: "b"},
	{key: "watch_options", types: "o"},
	{key: "post_update", types: "a"},
	{key: "disable_trace", types: "b"},
	{key: "v8", types: "b"},
	{key: "event_loop_inspector", types: "b"},
	{key: "pmx", types: "bs"},
	{key: "windowsHide", types: "b"},
	{key: "write", types: "b"},
	{key: "io", types: "o"},
}

// names returns the spellings of a key in the order in which PM2 takes them: it
// puts each alias in front of those before it (lib/tools/Config.js schema).
func (r rule) names() []string {
	names := []string{r.key}
	for _, a := range slices.Backward(r.aliases) {
		names = append(names, a)
	}
	return append(names, camel(r.key))
}

// camel writes a key as PM2's own alias rule does: max_restarts → maxRestarts.
func camel(key string) string {
	parts := strings.Split(key, "_")
	for i, p := range parts {
		if i > 0 && len(p) > 1 {
			parts[i] = strings.ToUpper(p[:1]) + p[1:]
		}
	}
	return strings.Join(parts, "")
}

// allowed are the keys of an app that leave the child at all.
var allowed = sync.OnceValue(func() map[string]bool {
	m := map[string]bool{"cmd": true, "command": true}
	for _, r := range schema {
		for _, n := range r.names() {
			m[n] = true
		}
	}
	return m
})
