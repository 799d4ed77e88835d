package audit

import "healthaudit/snapshot"

// Found is what a check that is Still found in one world, as it is kept for an
// equal one.
type Found struct {
	Findings []Finding      `json:"f,omitempty"` // as reported, before the configuration has its say
	Doubt    []string       `json:"d,omitempty"` // IDs of findings that it could not look for
	Blind    []snapshot.Key `json:"b,omitempty"` // items that it could not look at
}

func (f Found) pass(c *Check) *Pass {
	return &Pass{check: c, out: f.Findings, doubt: f.Doubt, blind: f.Blind}
}

// still returns what checks see that are Still.
func (w *World) still() *World {
	return &World{Now: w.Now.Still(), Before: snapshot.Nothing, Derived: w.Derived, Limits: w.Limits}
}
