package pipeline

import "healthaudit/report"

// recovery is what the document says of recovery.
func (v *View) recovery() report.Recovery {
	r := report.Recovery{Mode: v.Info.Recovery, Steps: []report.Step{}, Totals: map[string]int{}, Unknown: []report.UntoldRule{}}
	if v.recovered == nil {
		return r
	}
	return DocumentRecovery(v.Info.Recovery, v.recovered)
}

// DocumentRecovery makes of a plan, or of what became of it, what documents show.
func DocumentRecovery(mode string, d *Recovered) report.Recovery {
	r := report.Recovery{Mode: mode, Rules: d.Rules, Plan: d.Plan.ID, Steps: make([]report.Step, 0, len(d.Plan.Steps)), Totals: map[string]int{},
		Unknown: make([]report.UntoldRule, 0, len(d.Plan.Unknown))}
	for _, s := range d.Plan.Steps {
		step := report.Step{ID: s.ID, Rule: s.Rule, Action: s.Action, Item: string(s.Item), Status: string(s.Status), Skip: string(s.Skip), Reason: s.Reason,
			Hint: s.Hint, Attempt: s.Attempt, MaxAttempts: s.Max, Files: []string{}}
		if s.Effect != nil {
			step.Target, step.What = s.Effect.Target, s.Effect.What
			for _, w := range s.Effect.Writes {
				step.Files = append(step.Files, w.Path)
			}
		}
		r.Steps = append(r.Steps, step)
		r.Totals[step.Status]++
	}
	for _, u := range d.Plan.Unknown {
		r.Unknown = append(r.Unknown, report.UntoldRule{Rule: u.Rule, Items: u.Items, Item: string(u.Item), Why: u.Why})
	}
	return r
}
