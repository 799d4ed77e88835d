//go:build unix

package action

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"healthaudit/rules"
	"healthaudit/snapshot"
)

var errPower = errors.New("the power went off")

// interrupted does a deed up to a moment at which it notes what it made, and
// returns what is known of it then.
func (b *bed) interrupted(a *rules.Action, params map[string]string, item string, at int) rules.Deed {
	b.t.Helper()
	e, err := b.prepare(a, snapshot.Key("pm2/"+item), params)
	if err != nil {
		b.t.Fatal(err)
	}
	known, h := *e.Deed, b.hand()
	h.Keep = func(d rules.Deed) error {
		if at--; at < 0 {
			return errPower
		}
		known = d
		return nil
	}
	if _, err := a.Do(b.t.Context(), h, *e.Deed); !errors.Is(err, errPower) && at >= 0 {
		b.t.Fatalf("it was not interrupted: %v", err)
	}
	return known
}

// ids are the numbers of an app's processes.
func (b *bed) ids(name string) (out []int) {
	for _, p := range b.Of(name) {
		out = append(out, p.ID)
	}
	return out
}

// Somebody starts one more process in the very second in which audit does: of the
// two only audit's is deleted when it is taken back.
func TestPM2Scale_in_the_same_second(t *testing.T) {
	b := newBed(t)
	b.Add("pool", "online", map[string]any{"exec_mode": "cluster_mode"})
	b.app("pool", "online")
	b.Crowd(1)
	d, err := b.act(PM2Scale, "pm2/pool", map[string]string{"to": "4"})
	if err != nil || !slices.Equal(b.ids("pool"), []int{0, 1, 2, 3}) || len(d.Made) != 2 || d.Made["1"] != "" {
		t.Fatalf("%v, %v, made %v", err, b.ids("pool"), d.Made)
	}
	if err := PM2Scale.Undo(t.Context(), b.hand(), d); err != nil || !slices.Equal(b.ids("pool"), []int{0, 1}) {
		t.Errorf("undone: %v, %v", err, b.ids("pool"))
	}
}

// What a daemon does not name is not known to be audit's.
func TestPM2Scale_unnamed(t *testing.T) {
	b := newBed(t)
	b.Add("pool", "online", map[string]any{"exec_mode": "cluster_mode"})
	b.app("pool", "online")
	b.Answer("duplicateProcessId", `{"args":[{}]}`)
	d, err := b.act(PM2Scale, "pm2/pool", map[string]string{"to": "2"})
	if err == nil || !strings.Contains(err.Error(), "does not tell which") {
		t.Fatalf("%v", err)
	}
	b.Add("pool", "online", nil)
	err = PM2Scale.Undo(t.Context(), b.hand(), d)
	if err == nil || !strings.Contains(err.Error(), "process 1 came when audit was interrupted") || !slices.Equal(b.ids("pool"), []int{0, 1}) {
		t.Errorf("undone: %v, %v", err, b.ids("pool"))
	}
}

// Interrupted before and after each note, a scaling that is taken back leaves
// every process of which it is not certain that audit made it, and says so.
func TestPM2Scale_interrupted(t *testing.T) {
	for at, c := range []struct {
		left string // after the undo
		why  string // of it, "" is that it was taken back
	}{{"0", "nothing of it was done"}, {"0 1", "process 1 came"}, {"0", ""}, {"0 2", "process 2 came"}} {
		b := newBed(t)
		b.Add("pool", "online", map[string]any{"exec_mode": "cluster_mode"})
		b.app("pool", "online")
		d := b.interrupted(PM2Scale, map[string]string{"to": "3"}, "pool", at)
		err := PM2Scale.Undo(t.Context(), b.hand(), d)
		var left []string
		for _, id := range b.ids("pool") {
			left = append(left, strconv.Itoa(id))
		}
		if got := strings.Join(left, " "); got != c.left || (err == nil) != (c.why == "") || err != nil && !strings.Contains(err.Error(), c.why) {
			t.Errorf("interrupted at note %d: %v, left %s, made %v", at, err, got, d.Made)
		}
	}
}

// A process that somebody added since the plan is never the one that is deleted.
func TestPM2Scale_down_beside_a_person(t *testing.T) {
	b := newBed(t)
	for range 3 {
		b.Add("pool", "online", map[string]any{"exec_mode": "cluster_mode"})
	}
	b.app("pool", "online")
	e, err := b.prepare(PM2Scale, "pm2/pool", map[string]string{"to": "2", "down": "yes"})
	if err != nil {
		t.Fatal(err)
	}
	b.Add("pool", "online", nil)
	if _, err := PM2Scale.Do(t.Context(), b.hand(), *e.Deed); err == nil || !strings.Contains(err.Error(), "somebody else is at it: process 3") || len(b.ids("pool")) != 4 {
		t.Errorf("%v, %v", err, b.ids("pool"))
	}
	if err := PM2Scale.Undo(t.Context(), b.hand(), *e.Deed); !errors.Is(err, rules.ErrNothing) || len(b.ids("pool")) != 4 {
		t.Errorf("undone: %v, %v", err, b.ids("pool"))
	}
}

func TestPM2Scale(t *testing.T) {
	b := newBed(t)
	pool := map[string]any{"exec_mode": "cluster_mode"}
	b.Add("pool", "online", pool)
	b.app("pool", "online")
	first := b.Of("pool")[0].PID
	d, err := b.act(PM2Scale, "pm2/pool", map[string]string{"to": "3"})
	if err != nil || !slices.Equal(b.Calls(), []string{"duplicateProcessId pool", "duplicateProcessId pool"}) {
		t.Fatalf("%v, %v", err, b.Calls())
	}
	if _, err := PM2Scale.Do(t.Context(), b.hand(), d); err != nil || len(b.Of("pool")) != 3 {
		t.Errorf("again: %v, %d", err, len(b.Of("pool")))
	}
	if err := PM2Scale.Undo(t.Context(), b.hand(), d); err != nil || len(b.Of("pool")) != 1 || b.Of("pool")[0].PID != first {
		t.Errorf("undone: %v, %v", err, b.Of("pool"))
	}
	b.Add("pool", "online", pool)
	b.Forget()
	d, err = b.act(PM2Scale, "pm2/pool", map[string]string{"to": "1", "down": "yes"})
	if err != nil || len(b.Of("pool")) != 1 || b.Of("pool")[0].PID != first {
		t.Errorf("down: %v, %v", err, b.Of("pool"))
	}
	if err := PM2Scale.Undo(t.Context(), b.hand(), d); err != nil || len(b.Of("pool")) != 2 {
		t.Errorf("down, undone: %v, %v", err, b.Of("pool"))
	}
}
