package action

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/tidwall/gjson"

	"healthaudit/snapshot/host"
)

// A dumped is one entry of dump.pm2, as it stands there: it holds the whole
// environment of an app, and goes nowhere but to PM2.
type dumped []byte

// maxDump bounds the dump in bytes: a hundred apps are half a megabyte.
const maxDump = 16 << 20

// errNoDump says that there is no dump, or an empty one.
var errNoDump = errors.New("PM2 has no saved list")

// readDump reads the apps of a home's dump; modules, which PM2 starts by
// itself, are left out. A dump that PM2 could not read either is an error.
func readDump(h host.Host, home string) ([]dumped, error) {
	dir, err := h.Outside(home)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	b, err := dir.Read("dump.pm2", maxDump)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNoDump
	}
	if err != nil {
		return nil, fmt.Errorf("dump.pm2: %w", err)
	}
	return parseDump(b)
}

func parseDump(b []byte) (out []dumped, err error) {
	v := gjson.ParseBytes(b)
	if !json.Valid(b) || !v.IsArray() {
		return nil, errors.New("PM2's saved list is torn")
	}
	v.ForEach(func(_, e gjson.Result) bool {
		if e.IsObject() && !truth(e.Get("pmx_module")) && e.Get("name").Str != "" {
			out = append(out, dumped(e.Raw))
		}
		return true
	})
	if len(out) == 0 {
		return nil, errNoDump
	}
	return out, nil
}

func (d dumped) get(key string) gjson.Result { return gjson.GetBytes(d, key) }

// of reports whether an entry is one of an app.
func (d dumped) of(a app) bool {
	ns := d.get("namespace").String()
	if ns == "" {
		ns = "default"
	}
	return ns == a.namespace && shown(d.get("name").Str, gjson.ParseBytes(d)) == a.name
}

// fault says why an entry must not be given to a daemon, "" when it may be: one
// without these fields throws in the daemon, which then replaces itself and
// restarts every app (lib/God.js prepare, executeApp, lib/God/ForkMode.js).
func (d dumped) fault() string {
	if !json.Valid(d) || !gjson.ParseBytes(d).IsObject() {
		return "it is no entry"
	}
	for _, key := range []string{"name", "pm_exec_path", "pm_cwd", "pm_pid_path", "exec_mode"} {
		if v := d.get(key); v.Type != gjson.String || v.Str == "" {
			return "it has no " + key
		}
	}
	if !d.get("env").IsObject() {
		return "it has no environment"
	}
	for _, key := range []string{"pm_out_log_path", "pm_err_log_path", "pm_log_path"} {
		if v := d.get(key); v.Exists() && v.Type != gjson.String && v.Type != gjson.Null {
			return "its " + key + " is no path"
		}
	}
	if d.get("pm_id").Exists() || d.get("instances").Exists() || d.get("created_at").Exists() {
		return "it is not stripped"
	}
	return ""
}

// volatile are keys of an entry that belong to the life it was saved from. With
// created_at PM2 would think the app old, and its guard against crash loops
// would be off for good; with instances it would start that many
// (https://github.com/Unitech/pm2/issues/3258).
var volatile = []string{"created_at", "pm_id", "instances", "restart_time", "unstable_restarts", "pm_uptime", "exit_code", "prev_restart_delay",
	"axm_actions", "axm_monitor", "axm_options", "axm_dynamic", "vizion_running"}

// stripped returns an entry without what belongs to its former life.
func (d dumped) stripped() (dumped, error) {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(d, &m); err != nil {
		return nil, err
	}
	for _, k := range volatile {
		delete(m, k)
	}
	b, err := json.Marshal(m)
	return dumped(b), err
}
