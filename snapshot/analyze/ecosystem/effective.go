package ecosystem

import (
	"maps"
	"strconv"
	"strings"

	"healthaudit/snapshot"
)

// defaults are what PM2 takes for a setting that is not declared
// (lib/API/schema.json of 7.0.4), as far as they are facts.
var defaults = map[string]snapshot.Value{
	"autostart":       snapshot.Bool(true),
	"autorestart":     snapshot.Bool(true),
	"automation":      snapshot.Bool(true),
	"treekill":        snapshot.Bool(true),
	"instance_var":    snapshot.Text("NODE_APP_INSTANCE"),
	"kill_retry_time": snapshot.Number(100),
}

// units are bytes and milliseconds by the last letter of a text
// (lib/tools/Config.js _valid, ext_type).
var units = map[string]map[string]float64{
	"max_memory_restart": {"G": 1 << 30, "M": 1 << 20, "K": 1 << 10},
	"min_uptime":         {"h": 3600_000, "m": 60_000, "s": 1000},
}

// Effective returns the settings with which PM2 starts an app that declares
// these, by schema key, as its list shows them: numbers instead of texts, bytes
// and milliseconds instead of units, lists instead of words, and the defaults of
// what is not declared (lib/Common.js verifyConfs, lib/tools/Config.js). What
// PM2 decides only when it starts the app (exec_mode without instances, paths,
// the interpreter) is not among them. A nil map is an app that declares none.
func Effective(declared map[string]snapshot.Value) map[string]snapshot.Value {
	out := maps.Clone(defaults)
	for _, r := range schema {
		if v, ok := declared[r.key]; ok {
			out[r.key] = r.effective(v)
		}
	}
	if out["execute_command"].IsTrue() {
		out["exec_mode"] = snapshot.Text("fork")
	}
	delete(out, "execute_command")
	if v, ok := out["instances"]; ok {
		if s, isText := v.Any().(string); isText { // "max", "2"
			out["instances"] = snapshot.Number(leadingNumber(s))
		}
	}
	if v := out["exec_mode"].Str(); v == "fork" || v == "cluster" {
		out["exec_mode"] = snapshot.Text(v + "_mode")
	}
	if out["time"].IsTrue() {
		out["log_date_format"] = snapshot.Text("YYYY-MM-DDTHH:mm:ss")
	}
	n, _ := out["instances"].Num()
	if _, told := out["merge_logs"]; !told && n == 0 && out["exec_mode"].Str() != "cluster_mode" {
		out["merge_logs"] = snapshot.Bool(true)
	}
	return out
}

// effective returns what PM2 makes of one declared value.
func (r rule) effective(v snapshot.Value) snapshot.Value {
	if list, ok := v.Any().([]string); ok {
		if strings.Contains(r.types, "n") && len(list) == 1 { // JavaScript takes ["3"] for 3
			if n, ok := numeric(list[0]); ok {
				return snapshot.Number(n)
			}
		}
		return v
	}
	s, ok := v.Any().(string)
	if !ok {
		return v
	}
	if strings.Contains(r.types, "n") {
		if n, ok := numeric(s); ok {
			return snapshot.Number(n)
		}
	}
	if by := units[r.key]; by != nil && len(s) > 1 {
		if n, err := strconv.ParseFloat(s[:len(s)-1], 64); err == nil && by[s[len(s)-1:]] > 0 {
			return snapshot.Number(n * by[s[len(s)-1:]])
		}
	}
	if strings.HasPrefix(r.types, "as") {
		return snapshot.List(words(s)...)
	}
	return v
}

// leadingNumber is JavaScript's parseInt, 0 for what has none.
func leadingNumber(s string) float64 {
	s = strings.TrimSpace(s)
	end := 0
	for end < len(s) && (s[end] >= '0' && s[end] <= '9' || end == 0 && (s[end] == '-' || s[end] == '+')) {
		end++
	}
	n, err := strconv.Atoi(s[:end])
	if err != nil {
		return 0
	}
	return float64(n)
}
