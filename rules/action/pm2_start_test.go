//go:build unix

package action

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"healthaudit/rules"
)

// toStart prepares the start of an app that does not run.
func toStart(t *testing.T) (*bed, rules.Effect) {
	t.Helper()
	b := newBed(t)
	b.Dump(b.Entry("api"))
	b.app("api", "not-running")
	e, err := b.prepare(PM2Start, "pm2/api", nil)
	if err != nil {
		t.Fatal(err)
	}
	return b, e
}

// What was never started is not said to be taken back.
func TestPM2Start_undone_before_it_began(t *testing.T) {
	b, e := toStart(t)
	if err := PM2Start.Undo(t.Context(), b.hand(), *e.Deed); !errors.Is(err, rules.ErrNothing) {
		t.Errorf("%v", err)
	}
}

func TestPM2Start(t *testing.T) {
	b := newBed(t)
	b.Add("other", "online", nil)
	one, two := b.Entry("pool"), b.Entry("pool")
	one["NODE_APP_INSTANCE"], two["NODE_APP_INSTANCE"] = 0, 1
	one["created_at"] = 5
	b.Dump(b.Entry("other"), one, two)
	b.app("pool", "not-running")
	d, err := b.act(PM2Start, "pm2/pool", nil)
	if err != nil || !slices.Equal(b.Calls(), []string{"prepare pool", "prepare pool"}) || b.Died() != "" {
		t.Fatalf("%v, %v, died of %q", err, b.Calls(), b.Died())
	}
	if _, err := PM2Start.Do(t.Context(), b.hand(), d); err != nil || len(b.Calls()) != 2 {
		t.Errorf("again: %v, %v", err, b.Calls())
	}
	if text, _ := json.Marshal(d); strings.Contains(string(text), "s3cret") {
		t.Errorf("a secret in %s", text)
	}
	unnoted := d
	unnoted.Made = nil
	if err := PM2Start.Undo(t.Context(), b.hand(), unnoted); !errors.Is(err, rules.ErrNothing) || len(b.Of("pool")) != 2 {
		t.Errorf("what it made was not noted: %v, %v", err, b.Of("pool"))
	}
	if err := PM2Start.Undo(t.Context(), b.hand(), d); err != nil || len(b.Of("pool")) != 0 || len(b.Of("other")) != 1 {
		t.Errorf("undone: %v, %v", err, b.Of("pool"))
	}
}

// What crashes when it is started is taken off the list again.
func TestPM2Start_crashes(t *testing.T) {
	b := newBed(t)
	b.Dump(b.Entry("api"))
	b.Sick("api", true)
	b.app("api", "not-running")
	if _, err := b.act(PM2Start, "pm2/api", nil); err == nil {
		t.Error("it counts as started")
	}
}

// Somebody starts the app in the very second in which audit does: of the two only
// audit's is deleted when it is taken back.
func TestPM2Start_in_the_same_second(t *testing.T) {
	b := newBed(t)
	b.Dump(b.Entry("api"))
	b.app("api", "not-running")
	b.Crowd(1)
	e, err := b.prepare(PM2Start, "pm2/api", nil)
	if err != nil {
		t.Fatal(err)
	}
	d, err := PM2Start.Do(t.Context(), b.hand(), *e.Deed)
	if err != nil || !slices.Equal(b.ids("api"), []int{0, 1}) || len(d.Made) != 1 || d.Made["1"] == "" {
		t.Fatalf("%v, %v, made %v", err, b.ids("api"), d.Made)
	}
	if err := PM2Start.Undo(t.Context(), b.hand(), d); err != nil || !slices.Equal(b.ids("api"), []int{0}) {
		t.Errorf("undone: %v, %v", err, b.ids("api"))
	}
}

// Killed between the question for a process and the answer, audit does not know
// whether the one that came is its own: it stays, and that is said.
func TestPM2Start_interrupted(t *testing.T) {
	b, e := toStart(t)
	var noted rules.Deed
	h := b.hand()
	h.Keep = func(d rules.Deed) error {
		if noted.Of == "" {
			noted = d
		}
		return nil
	}
	if _, err := PM2Start.Do(t.Context(), h, *e.Deed); err != nil {
		t.Fatal(err)
	}
	err := PM2Start.Undo(t.Context(), b.hand(), noted)
	if err == nil || !strings.Contains(err.Error(), "process 0 came when audit was interrupted") || len(b.ids("api")) != 1 {
		t.Errorf("%v, %v", err, b.ids("api"))
	}
}
