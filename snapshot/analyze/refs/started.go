package refs

import (
	"slices"

	"healthaudit/snapshot"
)

// A Started says what sets an item going without a person: the first of each
// kind by its key, itself where it is one, directly or through others. The zero
// value is an item that only a person starts.
type Started struct {
	Workflow snapshot.Key // a workflow, on whatever event
	App      snapshot.Key // a PM2 app
	Function snapshot.Key // a Netlify function
	Cron     snapshot.Key // a crontab entry, a timer or service of systemd
	Clock    snapshot.Key // any of these that has a schedule which is obeyed
}

// By returns who starts the item, of several the one that is least looked at; ""
// when nobody does.
func (s Started) By() snapshot.Key {
	for _, k := range []snapshot.Key{s.Clock, s.Cron, s.App, s.Function, s.Workflow} {
		if k != "" {
			return k
		}
	}
	return ""
}

// Elsewhere returns what starts the item on a machine that is not the project's
// own: a workflow or a function.
func (s Started) Elsewhere() snapshot.Key {
	if s.Workflow != "" {
		return s.Workflow
	}
	return s.Function
}

// Started returns what starts each item. What is only tried (`x || true`) counts
// too: it is started. The map is shared, and not to be changed.
func (t *Table) Started() map[snapshot.Key]Started {
	t.startedOnce.Do(func() {
		t.started = map[snapshot.Key]Started{}
		to := t.Graph().Starts
		roots := map[string][]snapshot.Key{}
		for _, it := range t.now.Items {
			kind := rootKind(it)
			if kind == "" {
				continue
			}
			roots[kind] = append(roots[kind], it.Key)
			if slices.ContainsFunc(it.Schedules, func(s snapshot.Schedule) bool { return s.Effective }) {
				roots["clock"] = append(roots["clock"], it.Key)
			}
		}
		for kind, set := range map[string]func(*Started, snapshot.Key){
			"workflow": func(s *Started, k snapshot.Key) { s.Workflow = k }, "app": func(s *Started, k snapshot.Key) { s.App = k },
			"function": func(s *Started, k snapshot.Key) { s.Function = k }, "cron": func(s *Started, k snapshot.Key) { s.Cron = k },
			"clock": func(s *Started, k snapshot.Key) { s.Clock = k },
		} {
			t.spread(to, roots[kind], set)
		}
	})
	return t.started
}

// rootKind returns as what an item starts by itself, "" for one that does not.
func rootKind(it *snapshot.Item) string {
	switch {
	case it.System() == snapshot.Workflows && it.Kind == "workflow":
		return "workflow"
	case it.System() == snapshot.PM2 && it.Kind == "app":
		return "app"
	case it.System() == snapshot.Functions: // a file too: the build that it orders
		return "function"
	case it.System() == snapshot.Scripts && (it.Kind == "cron" || it.Kind == "timer" || it.Kind == "service"):
		return "cron"
	}
	return ""
}

// spread gives all that can be reached from the roots the name of the root it is
// reached from first.
func (t *Table) spread(to map[snapshot.Key][]snapshot.Key, roots []snapshot.Key, set func(*Started, snapshot.Key)) {
	seen := map[snapshot.Key]bool{}
	for _, root := range roots {
		for todo := []snapshot.Key{root}; len(todo) > 0; {
			k := todo[0]
			if todo = todo[1:]; seen[k] {
				continue
			}
			seen[k] = true
			s := t.started[k]
			set(&s, root)
			t.started[k] = s
			todo = append(todo, to[k]...)
		}
	}
}
