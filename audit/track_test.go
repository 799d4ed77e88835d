package audit

import (
	"slices"
	"testing"
	"time"

	"healthaudit/snapshot"
)

// A step of a finding's life: what the check said in one snapshot.
type step struct {
	fails   bool
	gone    bool            // the item is not there any more
	carried bool            // its source could not be read
	status  snapshot.Status // of the system; empty is ok
	off     bool            // the check does not exist any more
	silent  bool            // the check is switched off
	unread  bool            // the item is there, but could not be judged
	missing bool            // gone, and nothing explains it
	crash   bool
	after   time.Duration
	want    Status // "" when the finding is not in the snapshot
	isCarry bool
	by      string
	times   int // it occurred, when that is to be looked at
}

func TestTrack(t *testing.T) {
	check := &Check{ID: "c", System: snapshot.PM2, Severity: High, Judge: func(*Pass) {}}
	hour := time.Hour
	for name, life := range map[string][]step{
		"new_then_persisting_then_resolved": {{fails: true, want: New}, {fails: true, want: Persisting}, {want: Resolved, by: ByPass}, {}},
		"comes_back_reopened":               {{fails: true, want: New}, {want: Resolved}, {fails: true, want: Reopened}, {fails: true, want: Persisting}},
		"comes_back_after_the_window_new":   {{fails: true, want: New}, {want: Resolved}, {fails: true, after: ReopenWindow, want: New, times: 2}, {fails: true, want: Persisting, times: 2}},
		"on_the_last_day_reopened":          {{fails: true, want: New, times: 1}, {want: Resolved}, {fails: true, after: ReopenWindow - hour, want: Reopened, times: 1}},
		"an_unknown_system_then_resolved":   {{fails: true, want: New}, {status: snapshot.StatusError, carried: true, want: Persisting, isCarry: true}, {gone: true, want: Resolved, by: ByRemoval}},
		"an_unread_source_resolves_nothing": {{fails: true, want: New}, {carried: true, want: Persisting, isCarry: true}, {want: Resolved, by: ByPass}},
		"an_unread_system_resolves_nothing": {{fails: true, want: New}, {status: snapshot.StatusError, carried: true, want: Persisting, isCarry: true}, {fails: true, want: Persisting}},
		"a_skipped_system_resolves_nothing": {{fails: true, want: New}, {status: snapshot.StatusSkipped, carried: true, want: Persisting, isCarry: true}},
		"a_removed_item_resolves":           {{fails: true, want: New}, {gone: true, want: Resolved, by: ByRemoval}},
		"a_retired_check_resolves":          {{fails: true, want: New}, {off: true, want: Resolved, by: ByRetire}},
		"a_missing_item_resolves_nothing":   {{fails: true, want: New}, {missing: true, want: Persisting, isCarry: true}, {gone: true, want: Resolved, by: ByRemoval}},
		"an_unread_item_resolves_nothing":   {{fails: true, want: New}, {unread: true, want: Persisting, isCarry: true}, {unread: true, want: Persisting, isCarry: true}, {want: Resolved, by: ByPass}},
		"what_is_seen_of_an_unread_item":    {{unread: true, fails: true, want: New}, {unread: true, want: Resolved, by: ByPass}},
		"a_check_that_is_off_is_unseen":     {{fails: true, want: New}, {silent: true}, {fails: true, want: Persisting}, {silent: true}, {want: Resolved, by: ByPass}},
		"a_crashed_check_carries":           {{fails: true, want: New}, {crash: true, want: Persisting, isCarry: true}, {want: Resolved, by: ByPass}},
	} {
		t.Run(name, func(t *testing.T) {
			var recs []*Record
			now := Mark{At: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
			for i, s := range life {
				now.Seq, now.At = now.Seq+1, now.At.Add(hour+s.after)
				st := s.status
				if st == "" {
					st = snapshot.StatusOK
				}
				snap := &snapshot.Snapshot{Systems: []snapshot.SystemState{{System: snapshot.PM2, Status: st}}}
				w := &World{Now: snap, Before: snapshot.Nothing}
				switch {
				case s.missing:
					w.Gone = []Gone{{Item: "pm2/api"}}
				case !s.gone:
					it := &snapshot.Item{Key: "pm2/api", Carried: s.carried}
					if s.unread {
						it.Unknown = "no permission"
					}
					snap.Items = []*snapshot.Item{it}
				}
				if s.silent {
					w.Off = []string{"c"}
				}
				var j Judgement
				if s.fails {
					j.Findings = []Finding{{ID: "id", Check: "c", Item: "pm2/api", System: snapshot.PM2, Severity: High}}
				}
				if s.crash {
					j.Crashed = []Crash{{Check: "c"}}
				}
				checks := []*Check{check}
				if s.off || s.silent {
					checks = nil
				}
				got := Track(recs, j, checks, w, now)
				if saved := Saved(apply(recs, got), now.Seq, checks, w, j.Crashed, nil); !slices.EqualFunc(saved, got, func(a, b Tracked) bool { return a.ID == b.ID && a.Carried == b.Carried }) {
					t.Errorf("step %d: read back %v, was %v", i+1, saved, got)
				}
				recs = apply(recs, got)
				if s.want == "" {
					if len(got) != 0 {
						t.Fatalf("step %d: %+v, want nothing", i+1, got[0].Record)
					}
					continue
				}
				if len(got) != 1 {
					t.Fatalf("step %d: %d findings", i+1, len(got))
				}
				if is, ok := got[0].StatusAt(now.Seq); !ok || is != s.want || got[0].Carried != s.isCarry {
					t.Errorf("step %d: %s carried=%v, want %s carried=%v", i+1, is, got[0].Carried, s.want, s.isCarry)
				}
				if s.times > 0 && got[0].Occurrences != s.times {
					t.Errorf("step %d: occurrence %d, want %d", i+1, got[0].Occurrences, s.times)
				}
				if s.by != "" && got[0].ResolvedBy != s.by {
					t.Errorf("step %d: resolved by %q, want %q", i+1, got[0].ResolvedBy, s.by)
				}
			}
		})
	}
}

// apply puts tracked records over the stored ones, as a store does.
func apply(recs []*Record, got []Tracked) []*Record {
	out := slices.Clone(recs)
	for _, t := range got {
		out = slices.DeleteFunc(out, func(r *Record) bool { return r.ID == t.ID })
		out = append(out, t.Record)
	}
	return out
}

// What hangs on a whole system is not gone while a part of it cannot be read.
func TestTrackPseudoItem(t *testing.T) {
	key := snapshot.Pseudo(snapshot.Scripts)
	snap := &snapshot.Snapshot{Systems: []snapshot.SystemState{{System: snapshot.Scripts, Status: snapshot.StatusPartial, Sources: []snapshot.Source{{Name: "cron"}}}}}
	checks := []*Check{{ID: "litter"}, {ID: "unreadable", Needs: []snapshot.System{snapshot.Auditor}}}
	recs := []*Record{{Finding: Finding{ID: "1", Check: "litter", Item: key, System: snapshot.Scripts}}, {Finding: Finding{ID: "2", Check: "unreadable", Item: key, System: snapshot.Scripts}}}
	for _, x := range Track(recs, Judgement{}, checks, &World{Now: snap, Before: snapshot.Nothing}, Mark{Seq: 2}) {
		if x.Open() != (x.Check == "litter") {
			t.Errorf("%s: open %v", x.Check, x.Open())
		}
	}
}

func TestTrackUnchangedFindingIsNotWritten(t *testing.T) {
	snap := &snapshot.Snapshot{Systems: []snapshot.SystemState{{System: snapshot.PM2, Status: snapshot.StatusOK}}, Items: []*snapshot.Item{{Key: "pm2/api"}}}
	w := &World{Now: snap, Before: snapshot.Nothing}
	checks := []*Check{{ID: "c", Judge: func(*Pass) {}}}
	j := Judgement{Findings: []Finding{{ID: "id", Check: "c", Item: "pm2/api", Severity: High, Evidence: []Evidence{{"restarts", "3"}}}}}
	first := Track(nil, j, checks, w, Mark{Seq: 1})
	again := Track(apply(nil, first), j, checks, w, Mark{Seq: 2})
	if again[0].Changed {
		t.Error("an unchanged finding counts as changed")
	}
	j.Findings[0].Evidence = []Evidence{{"restarts", "4"}}
	more := Track(apply(nil, first), j, checks, w, Mark{Seq: 2})
	if !more[0].Changed || more[0].Updated == nil {
		t.Error("other evidence is no update")
	}
	if more[0].ID != first[0].ID {
		t.Error("other evidence is another finding")
	}
}
