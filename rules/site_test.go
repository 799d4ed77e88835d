package rules

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// A fakeSite is files in memory: "bad" is broken, "good" is well, and anything
// else is not known.
type fakeSite struct {
	now     time.Time
	disk    map[string]string // path → bytes
	kept    State
	journal []Entry
	blobs   map[string]bool
	calls   int
	killAt  int // the call during which the process dies
	set     *Set
	after   map[string]string // what a write turns into
	refuse  error             // of the next write
}

var errKilled = errors.New("killed")

// call counts, and dies before or after the effect of a call.
func (f *fakeSite) call(effect func()) {
	f.calls++
	if f.calls == f.killAt {
		panic(errKilled)
	}
	effect()
	f.calls++
	if f.calls == f.killAt {
		panic(errKilled)
	}
}

func (f *fakeSite) Now() time.Time { f.now = f.now.Add(time.Second); return f.now }

func (f *fakeSite) subject(key snapshot.Key) Subject {
	switch f.disk[key.Name()] {
	case "good":
		return well(key)
	case "bad":
		return sick(key, "script-syntax")
	}
	s := sick(key, "script-syntax")
	s.Level = audit.LevelUnknown
	return s
}

func (f *fakeSite) Look(_ context.Context, key snapshot.Key, fn func(*Subject, *Preparation) error) (err error) {
	f.call(func() {
		s := f.subject(key)
		err = fn(&s, &Preparation{Item: s.Item, Worst: s.Worst})
	})
	return err
}

func (f *fakeSite) Commit(st State, e Entry, before []Write) error {
	f.call(func() {
		f.kept = st.Clone()
		f.journal = append(f.journal, e)
		for _, w := range before {
			f.blobs[w.Was] = true
		}
	})
	return nil
}

func (f *fakeSite) Write(w Write) (err error) {
	f.call(func() {
		if f.refuse != nil {
			err, f.refuse = f.refuse, nil
			return
		}
		if snapshot.Sum([]byte(f.disk[w.Path])) != w.Was {
			err = errors.New("what stands there is not what was seen")
			return
		}
		if !f.blobs[w.Was] {
			panic("it overwrites what is not kept")
		}
		for _, text := range []string{"good", "bad", "worse"} {
			if snapshot.Sum([]byte(text)) == w.Sum {
				f.disk[w.Path] = text
				f.blobs[w.Sum] = true
			}
		}
		if t, ok := f.after[w.Path]; ok {
			delete(f.after, w.Path)
			f.disk[w.Path] = t
		}
	})
	return err
}

func (f *fakeSite) Hand() *Hand { return nil }

// mend is a rule that turns bad into good at once.
func mend(t *testing.T, names ...string) *fakeSite {
	s := parse(t, rule("for: 1", "cooldown: 1h", "max_attempts: 2"))
	f := &fakeSite{now: noon, disk: map[string]string{}, kept: State{Incidents: map[string]Incident{}}, blobs: map[string]bool{}, set: s, after: map[string]string{}}
	for _, n := range names {
		f.disk[n] = "bad"
	}
	s.Rules[0].Action = &Action{ID: "file.restore", Class: Idempotent, Prepare: func(p *Preparation) (Effect, error) {
		path := p.Item.Key.Name()
		return Effect{Target: "file " + path, What: "mend " + path, Writes: []Write{{Path: path, Was: snapshot.Sum([]byte(f.disk[path])), Sum: snapshot.Sum([]byte("good")), Mode: 0o644, Old: 0o755}}}, nil
	}}
	return f
}

// plan plans on what stands on the disk.
func (f *fakeSite) plan(seq uint64) (*Plan, State) {
	var subjects []Subject
	for n := range f.disk {
		subjects = append(subjects, f.subject(snapshot.Key("scripts/"+n)))
	}
	slices.SortFunc(subjects, func(a, b Subject) int { return strings.Compare(string(a.Item.Key), string(b.Item.Key)) })
	return f.set.Make(&World{Seq: seq, Run: fmt.Sprint(seq), Now: f.Now(), Subjects: subjects}, f.kept)
}

func (f *fakeSite) apply(t *testing.T, seq uint64) []Step { return f.applyAt(t, f, seq) }

// applyAt is apply where something stands between the site and its rules.
func (f *fakeSite) applyAt(t *testing.T, at Site, seq uint64) []Step {
	t.Helper()
	p, st := f.plan(seq)
	steps, st, err := f.set.Apply(t.Context(), at, p, st, Entry{Command: "recover"})
	if err != nil {
		t.Fatal(err)
	}
	f.kept = st
	return steps
}

func phases(f *fakeSite) (out []string) {
	for _, e := range f.journal {
		out = append(out, e.Phase)
	}
	return out
}
