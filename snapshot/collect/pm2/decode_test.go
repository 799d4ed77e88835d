package pm2

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func mark(s string) string { return "h:" + strings.ToUpper(s[:min(len(s), 1)]) }

func decodeOne(t *testing.T, src string) process {
	t.Helper()
	list, odd := decodeList([]string{src}, mark)
	if odd != 0 || len(list) != 1 {
		t.Fatalf("%d processes, %d odd", len(list), odd)
	}
	return list[0]
}

func TestDecodeProcess(t *testing.T) {
	t.Run("variables in capitals are not settings", func(t *testing.T) {
		p := decodeOne(t, `{"name":"api","pm2_env":{"status":"online","NAME":"s3cret","STATUS":"s3cret","Args":["s3cret"],"USERNAME":"s3cret","VERSION":"s3cret","Namespace":"s3cret","env":{}}}`)
		if b, _ := json.Marshal(p); bytes.Contains(b, []byte("s3cret")) {
			t.Errorf("%s", b)
		}
		if p.Name != "api" || p.Status != "online" || p.Namespace != "default" {
			t.Errorf("%+v", p)
		}
	})
	t.Run("a variable with the name of a setting is not shown", func(t *testing.T) {
		p := decodeOne(t, `{"name":"api","pm2_env":{"username":"s3cret","uid":0,"env":{"username":"s3cret"}}}`)
		if b, _ := json.Marshal(p); bytes.Contains(b, []byte("s3cret")) {
			t.Errorf("%s", b)
		}
	})
	t.Run("numbers as texts and texts as numbers", func(t *testing.T) {
		p := decodeOne(t, `{"name":"api","pid":"12","pm_id":3,"pm2_env":{"restart_time":"4","exit_code":1,"created_at":null,"NODE_APP_INSTANCE":2,"unique_id":"u","env":{"unique_id":"u","PORT":3000}}}`)
		if p.PID != 12 || p.Restarts != 4 || p.ExitCode != "1" || p.Created != 0 || p.Instance != "2" || p.UniqueID != "u" || len(p.Env) != 1 || p.Env[0].Hash != "h:3" {
			t.Errorf("%+v", p)
		}
	})
	t.Run("odd entries are counted", func(t *testing.T) {
		list, odd := decodeList([]string{`null`, `{"name":"x"}`, `{"pm2_env":{}}`, `"x"`, `{"name":"a","pm2_env":{}}`}, mark)
		if len(list) != 1 || odd != 4 {
			t.Errorf("%d processes, %d odd", len(list), odd)
		}
	})
}

func TestDecodeDump(t *testing.T) {
	list, ok := decodeDump(`[{"name":"api","status":"online","DB":"s3cret","pm_exec_path":"/x.js","pm_cwd":"/","args":["-a"],"pm_pid_path":"/p-0.pid"},{"name":"mod","pmx_module":true},{"namespace":"n","name":"w"}]`)
	if want := []dumped{{"api", "default", "online", "/x.js", "/", []string{"-a"}, "/p-0.pid"}, {Name: "w", Namespace: "n"}}; !ok || !reflect.DeepEqual(list, want) {
		t.Errorf("%+v %v", list, ok)
	}
	if _, ok := decodeDump(`[{"name":"a`); ok {
		t.Error("a torn dump is read")
	}
}

func FuzzDecodeList(f *testing.F) {
	f.Add([]byte(`[{"name":"api","pid":1,"pm_id":0,"monit":{"memory":1},"pm2_env":{"status":"online","args":["a"],"env":{"A":"b"},"watch":[1]}}]`))
	f.Add([]byte(`[ {"a\u0000\"b": "x\\\ud83d\ude00", "k" :[1, {"k":null}] , "": "\u00e9é"}, "a\"]", -1e5, true ]`))
	f.Add([]byte("[{\"\xff\": \"\xfe\"}, {\"\xff\":1,\"\xfe\":2}]"))
	f.Add([]byte(`[{"name":{},"pm2_env":{"env":[],"exit_code":{}}}]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var entries []json.RawMessage
		if json.Unmarshal(b, &entries) != nil {
			return
		}
		same(t, b)
		raw, _ := array(string(b))
		list, odd := decodeList(raw, func(s string) string { return "h" })
		if len(list)+odd != len(raw) {
			t.Errorf("%d entries: %d processes, %d odd", len(raw), len(list), odd)
		}
		again, _ := decodeList(raw, func(s string) string { return "h" })
		if !reflect.DeepEqual(list, again) {
			t.Errorf("not deterministic: %+v, %+v", list, again)
		}
	})
}

// same compares object and array with encoding/json, all the way down.
func same(t *testing.T, raw json.RawMessage) {
	t.Helper()
	var wantObject map[string]json.RawMessage
	var wantArray []json.RawMessage
	_ = json.Unmarshal(raw, &wantObject) // nil where it is none
	_ = json.Unmarshal(raw, &wantArray)
	f, _ := object(string(raw))
	list, _ := array(string(raw))
	few, _ := some(string(raw), []string{"env", "name"})
	if len(few) > 2 || len(f) != len(wantObject) || len(list) != len(wantArray) {
		t.Fatalf("%s: %d keys and %d elements, want %d and %d", raw, len(f), len(list), len(wantObject), len(wantArray))
	}
	for k, v := range wantObject {
		if f[k] != string(v) {
			t.Fatalf("%s: %q is %s, want %s", raw, k, f[k], v)
		}
		if (k == "env" || k == "name") && few[k] != f[k] {
			t.Fatalf("%s: alone %q is %s, want %s", raw, k, few[k], v)
		}
		same(t, v)
	}
	for i, v := range wantArray {
		if list[i] != string(v) {
			t.Fatalf("%s: element %d is %s, want %s", raw, i, list[i], v)
		}
		same(t, v)
	}
	var text string
	if json.Unmarshal(raw, &text) == nil && len(raw) > 0 && raw[0] == '"' && loose(string(raw)) != text {
		t.Errorf("%s reads %q, want %q", raw, loose(string(raw)), text)
	}
}
