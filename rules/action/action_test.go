package action

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"healthaudit/audit"
	"healthaudit/rules"
	"healthaudit/snapshot"
	"healthaudit/snapshot/host"
)

// A past is what actions ask of the world, in a test.
type past struct {
	bytes map[string]string // digest → bytes
	good  string            // the last good version; empty: there is none
	held  error             // what Free answers
	host  host.Host
}

func (p *past) keep(s string) string {
	if p.bytes == nil {
		p.bytes = map[string]string{}
	}
	p.bytes[snapshot.Sum([]byte(s))] = s
	return snapshot.Sum([]byte(s))
}

func (p *past) LastGood(it *snapshot.Item, _ audit.Severity) (snapshot.File, uint64, error) {
	if p.good == "" {
		return snapshot.File{}, 0, fs.ErrNotExist
	}
	return snapshot.File{Path: it.Path, Mode: 0o755, SHA256: p.keep(p.good)}, 7, nil
}

func (p *past) Free(_, _, _ string) error { return p.held }

func (p *past) Bytes(sum string) ([]byte, error) {
	b, ok := p.bytes[sum]
	if !ok {
		return nil, errors.New("not kept")
	}
	return []byte(b), nil
}

func (p *past) Host() host.Host { return p.host }

// refusal returns why an action refuses, "" when it does not.
func refusal(t *testing.T, err error) string {
	t.Helper()
	var r *rules.Refusal
	if err != nil && !errors.As(err, &r) {
		t.Fatalf("%v is no refusal", err)
	}
	if r == nil {
		return ""
	}
	return r.Why
}

func TestAll(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range All() {
		if a.ID == "" || seen[a.ID] || a.Title == "" || len(a.Doc) < 40 || len(a.Systems) == 0 || a.Class == "" || a.Prepare == nil {
			t.Errorf("%s is not documented, or twice there", a.ID)
		}
		seen[a.ID] = true
		if a.Do != nil && a.Class == rules.Idempotent && a.Renew == nil && a.Ask == nil {
			t.Errorf("%s: nobody asks whether its world answers before an interrupted one is carried on", a.ID)
		}
		for _, p := range a.Params {
			if p.Doc == "" || p.Max == 0 && p.Longest == 0 && !p.List && !slices.Contains(p.Values, p.Default) {
				t.Errorf("%s: %s", a.ID, p.Name)
			}
		}
	}
}

func TestFileRestore(t *testing.T) {
	p := &past{good: "good"}
	it := &snapshot.Item{Key: "scripts/x.sh", Path: "x.sh", Files: []snapshot.File{{Path: "x.sh", Mode: 0o644, SHA256: snapshot.Sum([]byte("bad"))}}}
	e, err := FileRestore.Prepare(&rules.Preparation{Item: it, Sources: p})
	if err != nil || len(e.Writes) != 1 || e.From != 7 || e.Target != "file x.sh" {
		t.Fatalf("%+v %v", e, err)
	}
	want := rules.Write{Path: "x.sh", Was: snapshot.Sum([]byte("bad")), Sum: snapshot.Sum([]byte("good")), Mode: 0o755, Old: 0o644}
	if got := e.Writes[0]; got.Path != want.Path || got.Was != want.Was || got.Sum != want.Sum || got.Mode != want.Mode || got.Old != want.Old {
		t.Errorf("%+v, want %+v", got, want)
	}
	// What must not be written is refused, and what it would be is still told.
	e, err = FileRestore.Prepare(&rules.Preparation{Item: it, Sources: &past{good: "good", held: &rules.Refusal{Why: "committed"}}})
	if refusal(t, err) != "committed" || len(e.Writes) != 1 {
		t.Errorf("%+v %v", e, err)
	}
	for want, it := range map[string]*snapshot.Item{
		"it has no file of its own": {Key: "scripts/npm:build", Path: "package.json", Files: []snapshot.File{{Path: "package.json", SHA256: "x", Role: snapshot.Shared}}},
		"is a symbolic link":        {Key: "scripts/x", Path: "x", Files: []snapshot.File{{Path: "x", SHA256: "x", Link: "y"}}},
	} {
		if _, err := FileRestore.Prepare(&rules.Preparation{Item: it, Sources: p}); !strings.Contains(refusal(t, err), want) {
			t.Errorf("%s: %v, want %s", it.Key, err, want)
		}
	}
	if _, err := FileRestore.Prepare(&rules.Preparation{Item: it, Sources: &past{}}); !strings.Contains(refusal(t, err), "no good version") {
		t.Errorf("%v", err)
	}
}

// site is a snapshot with a list and the functions of these names; one with an
// exclamation mark has no handler, one with a question mark could not be read.
func site(p *past, list string, good int, names ...string) *rules.Preparation {
	s := &snapshot.Snapshot{Systems: []snapshot.SystemState{{System: snapshot.Functions, Status: snapshot.StatusOK}}}
	it := &snapshot.Item{Key: "functions/file:list.json", Kind: "file", Path: "list.json", Source: "site", Files: []snapshot.File{{Path: "list.json", Mode: 0o644, SHA256: p.keep(list)}}}
	it.Add(snapshot.Semantic, "folder", snapshot.Text("functions"))
	if good > 0 {
		it.Add(snapshot.Volatile, "count.good", snapshot.Number(float64(good)))
	}
	it.Sort()
	for _, n := range names {
		f := &snapshot.Item{Key: snapshot.NewKey(snapshot.Functions, strings.Trim(n, "!?")), Name: strings.Trim(n, "!?"), Kind: "function", Source: "site"}
		if !strings.HasSuffix(n, "!") {
			f.Add(snapshot.Semantic, "handler", snapshot.Text("exports.handler"))
		}
		if strings.HasSuffix(n, "?") {
			f.Unknown = "not readable"
		}
		s.Items = append(s.Items, f)
	}
	s.Items = append(s.Items, it)
	s.Sort()
	return &rules.Preparation{Item: it, Snapshot: s, Sources: p}
}

func TestManifestRegenerate(t *testing.T) {
	for name, c := range map[string]struct {
		list  string
		good  int
		names []string
		want  string // the names that are written
		why   string
	}{
		"one_is_missing":           {`["a"]`, 0, []string{"a", "b"}, "a b", ""},
		"one_is_gone":              {`["a", "b", "z"]`, 0, []string{"a", "b"}, "a b", ""},
		"collapsed":                {`["a"]`, 4, []string{"a", "b", "c", "d"}, "a b c d", ""},
		"a_selection_stays_one":    {`["a", "z"]`, 0, []string{"a", "b", "c", "d"}, "a", ""},
		"no_handler_is_not_added":  {`["a"]`, 0, []string{"a", "b", "util!"}, "a b", ""},
		"no_handler_stays_in_list": {`["a", "util"]`, 0, []string{"a", "b", "util!"}, "a b util", ""},
		"the_folder_is_empty":      {`["a", "b", "c"]`, 3, nil, "", "only 0 functions"},
		"too_few_are_left":         {`["a", "b", "c"]`, 3, []string{"a"}, "", "only 1 functions"},
		"one_could_not_be_read":    {`["a"]`, 0, []string{"a", "b?"}, "", "the function b could not be read"},
		"it_is_right":              {`["a", "b"]`, 0, []string{"a", "b"}, "", "exactly the functions"},
		"it_is_no_list":            {`{"x": `, 0, []string{"a"}, "", "line 1"},
	} {
		t.Run(name, func(t *testing.T) {
			p := &past{}
			e, err := ManifestRegenerate.Prepare(site(p, c.list, c.good, c.names...))
			if why := refusal(t, err); c.why == "" && why != "" || !strings.Contains(why, c.why) {
				t.Fatalf("%q, want %q", why, c.why)
			}
			if c.why != "" {
				return
			}
			got := string(e.Writes[0].New)
			for _, n := range strings.Fields(c.want) {
				if !strings.Contains(got, fmt.Sprintf("%q", n)) {
					t.Errorf("%s lacks %s", got, n)
				}
			}
			if n := strings.Count(got, `"`) / 2; n != len(strings.Fields(c.want)) {
				t.Errorf("%s has %d names, want %s", got, n, c.want)
			}
			if e.Writes[0].Sum != snapshot.Sum(e.Writes[0].New) {
				t.Error("the digest is of other bytes")
			}
		})
	}
	p := &past{}
	partial := site(p, `["a"]`, 0, "a", "b")
	partial.Snapshot.Systems[0].Status = snapshot.StatusPartial
	if _, err := ManifestRegenerate.Prepare(partial); !strings.Contains(refusal(t, err), "not every function") {
		t.Errorf("%v", err)
	}
}
