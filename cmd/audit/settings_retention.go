package main

import "healthaudit/audit/pipeline"

// checkRetention makes the pipeline's retention: what the file leaves out is the
// default, 0 switches a rule off.
func (s *settings) checkRetention(bad func(string, ...any) error) error {
	f, r := &s.file.Retention, pipeline.DefaultRetention
	for _, k := range []struct {
		name string
		file *int
		into *int
	}{{"last", f.Last, &r.Last}, {"hourly", f.Hourly, &r.Hourly}, {"daily", f.Daily, &r.Daily}, {"weekly", f.Weekly, &r.Weekly}, {"monthly", f.Monthly, &r.Monthly}} {
		if k.file == nil {
			continue
		}
		if *k.file < 0 {
			return bad("retention.%s is %d, want a number from 0 on", k.name, *k.file)
		}
		*k.into = *k.file
	}
	if r.Empty() {
		return bad("retention keeps nothing: set at least one of last, hourly, daily, weekly, monthly above 0, or a very large last to keep all")
	}
	s.pipeline.Retention = r
	return nil
}
