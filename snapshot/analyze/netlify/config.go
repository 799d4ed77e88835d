// Package netlify reads what decides how Netlify treats functions: netlify.toml
// and the source of each function, by the rules of @netlify/config 25 and
// @netlify/zip-it-and-ship-it 16, which were measured.
//
// Invariants: pure and deterministic; no input makes it panic; results survive
// JSON and hold only values that configure functions (names, folders, schedules,
// routes), never an environment value or a header.
//
// It does not bundle, and it does not know what was set in Netlify's user interface.
package netlify

import (
	"cmp"
	"errors"
	"path"
	"regexp"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/pelletier/go-toml/v2"

	"healthaudit/snapshot/analyze/lazyregexp"
	"healthaudit/snapshot/cron"
)

// MaxConfig is the size in bytes above which a netlify.toml is not parsed.
const MaxConfig = 1 << 20

// DefaultDir and LegacyDir are the folders that hold functions when no
// configuration names one, in this order, if they exist.
const (
	DefaultDir = "netlify/functions"
	LegacyDir  = "netlify-automatic-functions"
	EdgeDir    = "netlify/edge-functions"
)

// A Place is a line and column, from 1; 0 when it is not known.
type Place struct {
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
}

// A Problem is why a configuration stops Netlify's build.
type Problem struct {
	Place
	Message string `json:"message"`
}

// Settings are the function properties that a configuration can set.
type Settings struct {
	Bundler  string   `json:"bundler,omitempty"`
	Schedule string   `json:"schedule,omitempty"`
	At       Place    `json:"at"` // of the schedule
	Included []string `json:"included,omitempty"`
	External []string `json:"external,omitempty"`
	Excluded []string `json:"excluded,omitempty"` // ignored_node_modules
	DenoMap  string   `json:"denoMap,omitempty"`  // deno_import_map
	Memory   string   `json:"memory,omitempty"`   // as it stands: 2048, "2gb"
	VCPU     string   `json:"vcpu,omitempty"`
	Region   string   `json:"region,omitempty"`
}

// A Rule is one [functions."pattern"] table.
type Rule struct {
	Pattern string `json:"pattern"`
	Settings
	At Place `json:"place"`
}

// A Named is one entry of [[scheduled.functions]], which Netlify does not read.
type Named struct {
	Name     string `json:"name,omitempty"`
	Schedule string `json:"schedule,omitempty"`
	At       Place  `json:"at"`
}

// An Ignored is a key that is set and never read.
type Ignored struct {
	Key string `json:"key"`
	At  Place  `json:"at"`
}

// A Config is what one netlify.toml says about functions, with the settings of
// one deploy context merged in.
type Config struct {
	Problems  []Problem   `json:"problems,omitempty"`
	Broken    bool        `json:"broken,omitempty"` // it cannot be parsed: everything below is empty
	Base      string      `json:"base,omitempty"`   // build.base, cleaned, "" for the root
	Directory string      `json:"directory,omitempty"`
	Edge      string      `json:"edge,omitempty"`    // build.edge_functions
	Publish   string      `json:"publish,omitempty"` // build.publish
	Global    Settings    `json:"global"`            // of every function
	Rules     []Rule      `json:"rules,omitempty"`
	Ignored   []Ignored   `json:"ignored,omitempty"`
	Scheduled []Named     `json:"scheduled,omitempty"`
	Contexts  []string    `json:"contexts,omitempty"` // with settings of functions of their own, sorted
	Redirects []Redirect  `json:"redirects,omitempty"`
	EdgeRules []EdgeRule  `json:"edgeRules,omitempty"`
	Places    ConfigPlace `json:"places"`
}

// A ConfigPlace says where the folders of a Config are set.
type ConfigPlace struct {
	Base      Place `json:"base"`
	Directory Place `json:"directory"`
	Edge      Place `json:"edge"`
	Publish   Place `json:"publish"`
}

// Outside returns which folders leave the repository, on which Netlify's build
// fails. base is the folder that they are relative to, itself relative to the root.
func (c *Config) Outside(base string) (out []Problem) {
	for _, d := range []struct {
		key, dir string
		at       Place
	}{{"functions.directory", c.Directory, c.Places.Directory}, {"build.edge_functions", c.Edge, c.Places.Edge}, {"build.publish", c.Publish, c.Places.Publish}} {
		if p := path.Join(base, d.dir); d.dir != "" && (p == ".." || strings.HasPrefix(p, "../")) {
			out = append(out, Problem{d.at, d.key + " must be inside the repository; Netlify's build fails"})
		}
	}
	return out
}

// An EdgeRule is one entry of [[edge_functions]].
type EdgeRule struct {
	Function string `json:"function,omitempty"`
	Path     string `json:"path,omitempty"` // or pattern, a regular expression
	At       Place  `json:"at"`             // of the function's name
}

// properties are the function keys that Netlify reads (FUNCTION_CONFIG_PROPERTIES of @netlify/config).
var properties = map[string]bool{"directory": true, "node_bundler": true, "included_files": true, "external_node_modules": true,
	"ignored_node_modules": true, "schedule": true, "deno_import_map": true, "memory": true, "vcpu": true, "region": true}

// Parse reads a netlify.toml and merges the settings of deploy contexts
// ("production", then the branch) into it, later ones over earlier. It never
// fails: what is wrong is in Problems.
func Parse(src []byte, contexts ...string) *Config {
	c := &Config{}
	if len(src) > MaxConfig {
		c.Broken, c.Problems = true, []Problem{{Message: "larger than 1 MiB, not parsed"}}
		return c
	}
	var root map[string]any
	if err := toml.Unmarshal(src, &root); err != nil {
		c.Broken, c.Problems = true, []Problem{tomlProblem(err)}
		return c
	}
	r := reader{c: c, lines: keyPlaces(src), root: root}
	r.read(contexts)
	sort.SliceStable(c.Rules, func(i, j int) bool { return c.Rules[i].At.Line < c.Rules[j].At.Line })
	sort.SliceStable(c.Rules, func(i, j int) bool { return weight(c.Rules[i].Pattern) < weight(c.Rules[j].Pattern) })
	sort.SliceStable(c.Ignored, func(i, j int) bool { return c.Ignored[i].At.Line < c.Ignored[j].At.Line })
	sort.SliceStable(c.Problems, func(i, j int) bool { return c.Problems[i].Line < c.Problems[j].Line })
	return c
}

var quoted = lazyregexp.New(`"(?:[^"\\]|\\.)*"?`)

// tomlProblem keeps place and reason of a parse error, not the text around it.
func tomlProblem(err error) Problem {
	var d *toml.DecodeError
	if errors.As(err, &d) {
		row, col := d.Position()
		return Problem{Place{row, col}, clip(quoted().ReplaceAllString(strings.TrimPrefix(d.Error(), "toml: "), "something"))}
	}
	return Problem{Message: "not valid TOML"}
}

// Weight orders patterns: fewer literal characters first.
func weight(pattern string) int {
	stars := strings.Count(pattern, "*")
	w := len(pattern) - stars
	if stars > 0 {
		w--
	}
	return w
}

// For returns the settings of one function: those of all, then of every
// matching pattern, the more literal later. Later values win, lists add up.
func (c *Config) For(name string) Settings {
	s := c.Global
	for _, r := range c.Rules {
		if matches(r.Pattern, name) {
			s = s.merge(r.Settings)
		}
	}
	return s
}

// Matches reports whether a rule is about that function.
func (r Rule) Matches(name string) bool { return matches(r.Pattern, name) }

// Literal reports whether the pattern names exactly one function.
func (r Rule) Literal() bool { return !strings.ContainsAny(r.Pattern, `*?[]{}!()\`) }

func matches(pattern, name string) bool {
	if pattern == name {
		return true
	}
	if rest, ok := strings.CutPrefix(pattern, "!"); ok {
		return !matches(rest, name)
	}
	if strings.HasPrefix(name, ".") && !strings.HasPrefix(pattern, ".") {
		return false // minimatch: a leading dot must be matched literally
	}
	ok, err := doublestar.Match(pattern, name)
	return err == nil && ok
}

// merge puts o over s: single values replace, lists add up. Memory and vcpu are
// one choice.
func (s Settings) merge(o Settings) Settings {
	if o.Schedule != "" {
		s.Schedule, s.At = o.Schedule, o.At
	}
	if o.Memory != "" || o.VCPU != "" {
		s.Memory, s.VCPU = o.Memory, o.VCPU
	}
	s.Bundler, s.DenoMap, s.Region = cmp.Or(o.Bundler, s.Bundler), cmp.Or(o.DenoMap, s.DenoMap), cmp.Or(o.Region, s.Region)
	s.Included, s.External = slices.Concat(s.Included, o.Included), slices.Concat(s.External, o.External)
	s.Excluded = slices.Concat(s.Excluded, o.Excluded)
	return s
}

// BadSchedule returns why an expression is not one that Netlify accepts, or "".
func BadSchedule(expr string) string {
	_, err := cron.Parse(cron.Netlify, expr)
	var e *cron.SyntaxError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e) && e.Field != "":
		return e.Field + ": " + clip(e.Message)
	case errors.As(err, &e):
		return clip(e.Message)
	}
	return "not a schedule"
}

// What the build accepts beside five fields: more names of intervals, and letters
// of other dialects, some only in the day of the month or of the week.
var (
	moreNames = []string{"@annually", "@minutely", "@secondly", "@weekdays", "@weekends"}
	anyField  = lazyregexp.New(`^(?:\?|H(?:\(\d+-\d+\))?(?:/\d+)?)$`)
	dayFields = map[int]func() *regexp.Regexp{2: lazyregexp.New(`^L$`), 4: lazyregexp.New(`^[0-7](?:L|#[1-5])$`)}
)

// RefusedSchedule returns why the build fails on an expression in netlify.toml, or
// "". The build accepts more than Netlify runs: see BadSchedule.
// Source: cron-parser 5, which @netlify/config asks; measured.
func RefusedSchedule(expr string) string {
	fields := strings.Fields(expr)
	if len(fields) == 0 || len(fields) == 1 && slices.Contains(moreNames, fields[0]) {
		return ""
	}
	if len(fields) == 6 {
		fields = fields[1:]
	}
	for len(fields) < 5 && fields[0][0] != '@' {
		fields = slices.Insert(fields, 0, "*")
	}
	for i, f := range fields {
		if day := dayFields[i]; anyField().MatchString(f) || day != nil && day().MatchString(f) {
			fields[i] = "*"
		}
	}
	expr = strings.Join(fields, " ")
	if why := BadSchedule(expr); why != "" {
		return why
	}
	if c, err := cron.Parse(cron.Netlify, expr); err == nil {
		if _, ok := c.Next(someDay); !ok {
			return "a day that never comes"
		}
	}
	return ""
}

// someDay is a time from which every schedule has its next run, if it has one.
var someDay = time.Date(2001, time.January, 1, 0, 0, 0, 0, time.UTC)

// clip bounds a foreign name for a message.
func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	if r := []rune(s); len(r) > 120 {
		return string(r[:120]) + "…"
	}
	return s
}

// Includes reports whether an included_files pattern, relative to the base, takes
// a file in.
func Includes(pattern, file string) bool {
	ok, err := doublestar.Match(strings.TrimPrefix(pattern, "./"), file)
	return err == nil && ok
}
