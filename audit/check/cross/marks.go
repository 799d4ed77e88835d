package cross

import (
	"path"
	"strconv"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/refs"
	"healthaudit/snapshot/analyze/trait"
	"healthaudit/snapshot/analyze/workflow"
)

// startedBy returns what sets the items of the snapshot going.
func startedBy(p *audit.Pass) map[snapshot.Key]refs.Started {
	return refs.NewTable(p.Now, p.Derived).Started()
}

// unwatched returns what runs an item while nobody looks: a crontab, PM2, or a
// schedule other than that of a workflow, whose runs are kept with what they said.
func unwatched(s refs.Started) snapshot.Key {
	switch {
	case s.Cron != "":
		return s.Cron
	case s.App != "":
		return s.App
	case s.Clock.System() != snapshot.Workflows:
		return s.Clock
	}
	return ""
}

// marksOf returns what the items are like. What was found in a script that does
// not parse this time is in doubt, and so is what is still in one of which nobody
// knows whether something starts it.
func marksOf(p *audit.Pass) *trait.Index {
	index := trait.Indexed(p.Now, p.Derived)
	for _, it := range index.Items {
		if index.Torn {
			p.DoubtAll(it.Key)
		}
	}
	for _, key := range index.Broken {
		p.DoubtAll(key)
	}
	return index
}

func at(it *snapshot.Item, m trait.Mark) audit.Location {
	return audit.Location{Path: it.Path, Line: m.Line, Column: m.Column}
}

// verdictOf returns the verdict on a workflow or an action; an empty one where it
// could not be read.
func verdictOf(p *audit.Pass, it *snapshot.Item) workflow.Verdict {
	f, ok := it.OwnFile()
	if it.Carried || !ok || f.SHA256 == "" || f.Link != "" || f.Size > workflow.MaxSize || it.Kind != string(workflow.Workflow) && it.Kind != string(workflow.Action) {
		return workflow.Verdict{}
	}
	config := snapshot.Once(p.Derived, configOf{p.Now}, func() workflow.Config { return workflow.ConfigAt(p.Now.ContextFile, p.Bytes) })
	return workflow.Judge(p.Derived, f.Path, f.SHA256, config, func() *workflow.Document {
		if b := p.Bytes(f); b != nil {
			return workflow.Parse(f.Path, b)
		}
		return nil
	})
}

// configOf is the key of the linter's settings in what a run shares.
type configOf struct{ *snapshot.Snapshot }

// starter names what starts an item, in a sentence about that.
func starter(p *audit.Pass, by snapshot.Key) string {
	if it := p.Now.Item(by); it != nil && it.Kind == "cron" {
		return "line " + strconv.Itoa(it.Line) + " of " + it.Path
	}
	return string(by)
}

// what names an item in a sentence.
func what(it *snapshot.Item) string {
	switch {
	case it.Kind == "npm":
		return it.Name
	case it.Kind == "cron":
		return "the crontab entry on line " + strconv.Itoa(it.Line)
	case it.System() == snapshot.PM2 && it.Kind == "app":
		return "PM2 app " + it.Name
	case it.Path == "":
		return strings.TrimPrefix(string(it.Key), string(it.System())+"/")
	}
	return path.Base(it.Path)
}
