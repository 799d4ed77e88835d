package pipeline

import (
	"slices"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/collect"
)

// A Config is audit.yaml, the environment and the flags, resolved. The zero
// value audits everything and gates by the defaults.
type Config struct {
	Collect     collect.Config
	Off         []snapshot.System // switched off by the configuration
	Only        []snapshot.System // empty: all
	Skip        []snapshot.System
	Criticality map[string]string // glob over keys → low, normal, high; the longest matching glob wins
	Weights     map[snapshot.System]float64
	Expect      []audit.Expected // what must be there
	ChecksOff   []string
	Severity    map[string]audit.Severity
	Limits      map[string]float64 // "check-id.limit"
	FailOn      []string           // nil: DefaultFailOn
	FailUnder   *float64
	Backups     Backups
	Retention   Retention      // the zero value prunes nothing after a run
	Waivers     []audit.Waiver // of the configuration
	Ignore      []audit.Ignore
	Every       time.Duration // how often a run is to be; 0: not said
	Grace       time.Duration // how much later is still in time
	EveryAt     audit.Location
	Plugins     Plugins
	Hooks       Hooks
}

// DefaultFailOn is the gate when nothing else is asked for.
var DefaultFailOn = []string{"critical", "regression"}

// wants reports whether a system is collected in this run.
func (c *Config) wants(s snapshot.System) bool {
	return !slices.Contains(c.Off, s) && !slices.Contains(c.Skip, s) && (len(c.Only) == 0 || slices.Contains(c.Only, s))
}

// Nothing reports whether no system is left to look at.
func (c *Config) Nothing() bool { return !slices.ContainsFunc(snapshot.Systems, c.wants) }

// why says in one line why a system is not collected.
func (c *Config) why(s snapshot.System) string {
	if slices.Contains(c.Off, s) {
		return "switched off in audit.yaml"
	}
	return "not asked for in this run"
}

var criticality = map[string]float64{"low": .5, "normal": 1, "high": 3}

// weigh returns the weight of an item in its system's score.
func (c *Config) weigh(k snapshot.Key) float64 {
	best, weight := "", 1.0
	for glob, word := range c.Criticality {
		if len(glob) < len(best) || len(glob) == len(best) && glob > best {
			continue
		}
		if ok, _ := doublestar.Match(glob, string(k)); ok || glob == string(k) {
			best, weight = glob, criticality[word]
		}
	}
	return weight
}

func (c *Config) weighting(states []snapshot.SystemState) audit.Weighting {
	skipped := map[snapshot.System]bool{}
	for _, st := range states {
		skipped[st.System] = st.Status == snapshot.StatusSkipped
	}
	w := audit.Weighting{Systems: c.Weights, Skip: func(s snapshot.System) bool { return skipped[s] }}
	if len(c.Criticality) > 0 {
		w.Items = c.weigh
	}
	return w
}

// checks returns the checks that are on.
func (c *Config) checks(all []*audit.Check) []*audit.Check {
	if len(c.ChecksOff) == 0 {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(k *audit.Check) bool { return slices.Contains(c.ChecksOff, k.ID) })
}
