package netlify

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestConfig(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"functions.directory wins over build.functions", "[build]\nfunctions = 'a'\n[functions]\ndirectory = '/b/'", "dir=b"},
		{"build.functions", "[build]\nbase = 'web/'\nfunctions = './a'", "base=web dir=a"},
		{"capital letters", "[Build]\nFunctions = 'a'\n[Functions]\nnode_bundler = 'nft'", "dir=a"},
		{"a context wins", "[build]\nfunctions = 'a'\n[context.production.build]\nfunctions = 'b'", "dir=b"},
		{"another context does not", "[build]\nfunctions = 'a'\n[context.deploy-preview.build]\nfunctions = 'b'", "dir=a"},
		{"a context's functions as text", "[context.production]\nfunctions = 'b'", "dir=b contexts=production"},
		{"edge functions", "[build]\nedge_functions = 'e'", "edge=e"},
		{"the star wins over the top", "[functions]\nnode_bundler = 'nft'\n[functions.'*']\nnode_bundler = 'esbuild'", "bundler=esbuild"},
		{"a key's name as a function", "[functions.schedule]\nnode_bundler = 'nft'", "bundler="},
		{"a key that must be a table", "[build]\ncommand = 'x'\n[functions]\n  timeout = 26", "4: functions.timeout must be a table; Netlify's build fails"},
		{"a schedule that is an array of tables", "[[functions.schedule]]\nname = 'x'", "1: functions.schedule must be a schedule; Netlify's build fails"},
		{"keys that are never read", "[functions.a]\ntimeout = 26\nbackground = true", "ignored functions.a.timeout@2 ignored functions.a.background@3"},
		{"invented tables", "[[scheduled.functions]]\nname = 'a'\nschedule = '@daily'\n[[scheduled.functions]]\npath = '/.netlify/functions/b?x=1'\ncron = '@hourly'", "a:@daily@1 b:@hourly@4"},
		{"what is no TOML", "a = 1\nb = \n", "2: broken"},
		{"twice the same table", "[functions]\n[functions]", "2: broken"},
		{"nothing", "", ""},
		{"other things", "functions = 3\nbuild = 'x'\ncontext = [1]\nscheduled = {functions = 'x'}", "1: functions must be a table; Netlify's build fails; 2: build must be a table; Netlify's build fails; 3: context must be a table"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := describeConfig(Parse([]byte(c.src), "production")); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func describeConfig(c *Config) string {
	var out []string
	add := func(k, v string) {
		if v != "" {
			out = append(out, k+"="+v)
		}
	}
	for _, p := range c.Problems {
		if c.Broken {
			p.Message = "broken"
		}
		out = append(out, fmt.Sprintf("%d: %s", p.Line, p.Message))
	}
	if len(out) > 0 {
		return strings.Join(out, "; ")
	}
	add("base", c.Base)
	add("dir", c.Directory)
	add("edge", c.Edge)
	if b := c.For("schedule").Bundler; b != "" && len(c.Rules) == 0 {
		add("bundler", b)
	}
	if len(c.Rules) == 1 && c.Rules[0].Pattern == "schedule" {
		out = append(out, "bundler="+c.Global.Bundler)
	}
	add("contexts", strings.Join(c.Contexts, ","))
	for _, i := range c.Ignored {
		out = append(out, fmt.Sprintf("ignored %s@%d", i.Key, i.At.Line))
	}
	for _, n := range c.Scheduled {
		out = append(out, fmt.Sprintf("%s:%s@%d", n.Name, n.Schedule, n.At.Line))
	}
	return strings.Join(out, " ")
}

// Patterns apply from the least to the most literal one; lists add up.
func TestConfigFor(t *testing.T) {
	c := Parse([]byte(`
[functions]
included_files = ["all"]
[functions."mail-daily"]
schedule = "0 6 * * *"
included_files = ["mail"]
[functions."mail-*"]
schedule = "0 5 * * *"
node_bundler = "esbuild"
included_files = ["mails"]
[functions."{a,b}[12]"]
node_bundler = "nft"
[functions."!mail*"]
external_node_modules = ["x"]
[context.production.functions."mail-daily"]
schedule = "0 7 * * *"
included_files = ["prod"]
`), "production")
	for name, want := range map[string]string{
		"mail-daily":  "esbuild 0 7 * * * [all mails prod] []",
		"mail-weekly": "esbuild 0 5 * * * [all mails] []",
		"a1":          "nft  [all] [x]",
		"a3":          "  [all] [x]",
		".mail-x":     "  [all] [x]",
	} {
		s := c.For(name)
		if got := fmt.Sprintf("%s %s %v %v", s.Bundler, s.Schedule, s.Included, s.External); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if s := c.For("mail-daily"); s.At != (Place{16, 1}) {
		t.Errorf("schedule stands at %v", s.At)
	}
}

// No value but those that configure functions is kept, and no message quotes one.
func TestConfigKeepsSecrets(t *testing.T) {
	const secret = "hunter2hunter2"
	for _, src := range []string{
		"[build.environment]\nTOKEN = '" + secret + "'\n[[headers]]\nfor = '/'\n[headers.values]\nAuthorization = '" + secret + "'\n[functions.a]\nenv = '" + secret + "'",
		"[build.environment]\nTOKEN = " + secret, "x = \"" + secret, "[functions]\nx = '" + secret + "'", "[a]\n[a]\nb = '" + secret + "'\n[a]", "t = 1979-05-27T" + secret,
	} {
		if got := fmt.Sprintf("%+v", Parse([]byte(src), "production")); strings.Contains(got, secret) {
			t.Errorf("%q: %s", src, got)
		}
	}
}

func FuzzConfig(f *testing.F) {
	for _, s := range []string{"[functions]\ndirectory='x'\n[functions.'*']\nschedule='@daily'", "[[scheduled.functions]]\nname='a'", "functions.a.b.c=1",
		"[context.production]\nfunctions='x'", "[functions]\nschedule=[1]", "a=[[[[{b={c=1}}]]]]", "[functions.\"a\\n*\"]\nschedule='x'",
		strings.Repeat("a.", 5000) + "b=1", "a=" + strings.Repeat("[", 9000), "[" + strings.Repeat("a.", 5000) + "b]", "\xef\xbb\xbfa=1", "[[functions]]\n[[functions]]"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		c := Parse(src, "production")
		if !reflect.DeepEqual(c, Parse(src, "production")) {
			t.Fatal("not deterministic")
		}
		if c.Broken && (len(c.Problems) != 1 || len(c.Rules)+len(c.Scheduled) > 0) {
			t.Fatalf("broken, and yet: %+v", c)
		}
		lines := strings.Count(string(src), "\n") + 1
		for _, r := range c.Rules {
			if r.At.Line > lines {
				t.Fatalf("rule at line %d of %d", r.At.Line, lines)
			}
			c.For(r.Pattern)
		}
		for _, p := range c.Problems {
			if strings.ContainsAny(p.Message, "\n\x1b\x00") {
				t.Fatalf("message %q", p.Message)
			}
		}
	})
}

// What cron-parser 5.6 said of each expression.
func TestRefusedSchedule(t *testing.T) {
	for _, ok := range []string{"0 0 * * *", "@daily", "0 0 6 * * *", "0 0 L * *", "H/15 * * * *", "H * * * *", "0 0 * * 1#2", "0 0 ? * *", "@annually", "* *", "", "0 0 * * 7",
		"0 0 * * 5L", "H(0-29)/10 * * * *", "@minutely", "@weekdays", "0 0 1 JAN *", "0 0 ? * MON", "1-5/2 * * * *", "5/10 * * * *", "0 9 * * MON-FRI"} {
		if why := RefusedSchedule(ok); why != "" {
			t.Errorf("%q: %s", ok, why)
		}
	}
	for _, no := range []string{"0 0 * *", "@midnight", "0 24 * * *", "0 0 * * 8", "5L * * * *", "0 0 31 2 *", "@every 5m", "0 0 * * L", "* * * * * * *", "JAN * * * *",
		"60 * * * *", "0 0 W * *", "0 0 LW * *", "every day"} {
		if RefusedSchedule(no) == "" {
			t.Errorf("%q is accepted", no)
		}
	}
}
