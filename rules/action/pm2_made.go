package action

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"healthaudit/rules"
)

// What a deed that starts processes made holds, besides the processes by number.
const (
	madeBefore   = "before"   // the processes there were when one was asked for: nobody knows yet which came
	madeDoubtful = "doubtful" // the processes that came when audit was interrupted: they may be somebody's
)

// newcomer asks PM2 for one more process of an app that has these, and notes which
// it is: by the number and the unique_id that the answer names at that path, where
// somebody started one in the same second.
func newcomer(ctx context.Context, h *rules.Hand, d rules.Deed, procs []proc, o order, path string) (rules.Deed, error) {
	a := named(d)
	d = d.With(madeBefore, cmp.Or(numbers(procs), "none"))
	if err := h.Note(d); err != nil {
		return d, err
	}
	answer, err := send(ctx, h.Host, a.home, o, patience)
	if err != nil {
		return d, err
	}
	all, err := listed(ctx, h.Host, a.home)
	if err != nil {
		return d, err
	}
	came := slices.DeleteFunc(a.of(all), func(p proc) bool {
		return slices.ContainsFunc(procs, func(q proc) bool { return q.ID == p.ID })
	})
	if e := gjson.Get(answer, path); len(came) > 1 && e.Get("unique_id").Str != "" {
		came = slices.DeleteFunc(came, func(p proc) bool {
			return p.Unique != e.Get("unique_id").Str || strconv.Itoa(p.ID) != e.Get("pm_id").String()
		})
	}
	if len(came) != 1 || came[0].Unique == "" {
		return d, errors.New("PM2 does not tell which process it started")
	}
	d = d.With(madeBefore, "").With(strconv.Itoa(came[0].ID), came[0].Unique)
	return d, h.Note(d)
}

// interrupted returns the deed with the processes in doubt that came between the
// question for one and the answer, which audit did not live to hear.
func interrupted(d rules.Deed, procs []proc) rules.Deed {
	before, ok := d.Made[madeBefore]
	if !ok {
		return d
	}
	d = d.With(madeBefore, "")
	doubtful := strings.Fields(d.Made[madeDoubtful])
	for _, p := range procs {
		id := strconv.Itoa(p.ID)
		if _, ours := d.Made[id]; !ours && !slices.Contains(strings.Fields(before), id) {
			doubtful = append(doubtful, id)
		}
	}
	return d.With(madeDoubtful, strings.Join(doubtful, " "))
}

// inDoubt says which of the processes may be a deed's or somebody's; nil: none.
func inDoubt(d rules.Deed, procs []proc) error {
	left := slices.DeleteFunc(strings.Fields(d.Made[madeDoubtful]), func(id string) bool {
		return !slices.ContainsFunc(procs, func(p proc) bool { return strconv.Itoa(p.ID) == id })
	})
	if len(left) == 0 {
		return nil
	}
	return fmt.Errorf("process %s came when audit was interrupted, and may be somebody's: it stays (pm2 delete %s)", strings.Join(left, ", "), strings.Join(left, " "))
}

// unmake deletes the processes that a deed made, and no other, the newest first.
func unmake(ctx context.Context, h *rules.Hand, d rules.Deed) error {
	a := named(d)
	all, err := listed(ctx, h.Host, a.home)
	if err != nil {
		return err
	}
	procs := a.of(all)
	slices.Reverse(procs)
	for _, p := range procs {
		if unique, ok := d.Made[strconv.Itoa(p.ID)]; !ok || unique == "" || unique != p.Unique {
			continue
		}
		if _, err := send(ctx, h.Host, a.home, remove(p.ID), patience); err != nil {
			return err
		}
	}
	all, err = listed(ctx, h.Host, a.home)
	if err != nil {
		return err
	}
	var left []string
	for _, p := range a.of(all) {
		if d.Made[strconv.Itoa(p.ID)] == p.Unique && p.Unique != "" {
			left = append(left, strconv.Itoa(p.ID))
		}
	}
	if len(left) > 0 {
		return fmt.Errorf("PM2 still lists process %s", strings.Join(left, ", "))
	}
	return nil
}
