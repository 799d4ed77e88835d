package action

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"healthaudit/rules"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/ecosystem"
	"healthaudit/snapshot/analyze/lazyregexp"
	"healthaudit/snapshot/host"
)

// Command runs a program that a rule names. It is done once at most; a rule that
// says idempotent: true gets commandTwice.
var Command = func() *rules.Action {
	once, twice := command(rules.AtMostOnce), command(rules.Idempotent)
	once.Twice = twice
	return once
}()

// longest is how long a command may take at most.
const longest = 10 * time.Minute

// maxPrinted bounds, in bytes, what is kept of each of standard output and
// standard error: the last 16 KiB in all.
const maxPrinted = 8 << 10

func command(class rules.Class) *rules.Action {
	a := &rules.Action{
		ID:      "command",
		Title:   "run a program",
		Systems: snapshot.Systems,
		Class:   class,
		Doc: "The program of argv is run in the root of the project, never through a shell, with nothing in its environment but the variables that env_allow names and nothing on its standard input. " +
			"In an element of argv, {{item.key}}, {{item.name}} and {{item.path}} stand for those of the item. It has a process group of its own, which is killed whole when the program ends or its time is over. " +
			"It helped when it ended with 0 and the verification of the rule says so. It runs only when the rules lie in a file outside of the project, or with --trust-config, and only a program outside of the project and of the repository around it: " +
			"who may change the project must not thereby run code here. It is done once at most per attempt; idempotent: true says that it may be done again after an interruption: the next run that acts does so, unless the item is well. There is no way back from it. " +
			"Of argv the journal has names of options and plain values, of what it prints the last 16 KiB, without what may be a secret.",
		Params: []rules.Param{
			{Name: "argv", Doc: "the program, by its absolute path, and its arguments", List: true},
			{Name: "env_allow", Doc: "names of environment variables that it gets", List: true},
			{Name: "timeout", Doc: "how long it may take", Longest: longest, Default: "60s"},
			{Name: rules.Idempotently, Doc: "whether it may be done twice", Values: []string{"false", "true"}, Default: "false"},
		},
		Check:   checkCommand,
		Prepare: prepareCommand,
		Do:      runCommand,
		Settled: ended,
	}
	if class == rules.Idempotent {
		a.Renew = renewCommand
	}
	return a
}

var (
	placeholder  = lazyregexp.New(`\{\{([^{}]*)\}\}`)
	variableName = lazyregexp.New(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// values are what an element of argv may name of an item.
func values(it *snapshot.Item) map[string]string {
	return map[string]string{"item.key": string(it.Key), "item.name": it.Name, "item.path": it.Path}
}

func checkCommand(params map[string]string) error {
	argv, err := rules.Words(params["argv"])
	if err != nil {
		return err
	}
	if len(argv) == 0 || !filepath.IsAbs(argv[0]) || placeholder().MatchString(argv[0]) {
		return errors.New("argv begins with the absolute path of a program: no shell looks for it")
	}
	for _, a := range argv {
		if strings.ContainsRune(a, 0) {
			return errors.New("an element of argv holds a NUL")
		}
		for _, m := range placeholder().FindAllStringSubmatch(a, -1) {
			if _, ok := values(&snapshot.Item{})[strings.TrimSpace(m[1])]; !ok {
				return fmt.Errorf("there is no {{%s}}: an element of argv may have {{item.key}}, {{item.name}} and {{item.path}}", m[1])
			}
		}
	}
	env, err := rules.Words(params["env_allow"])
	for _, name := range env {
		if !variableName().MatchString(name) {
			return fmt.Errorf("env_allow has %q, want names of variables: their values come from where audit runs", name)
		}
	}
	return err
}

func prepareCommand(p *rules.Preparation) (rules.Effect, error) {
	argv, err := rules.Words(p.Params["argv"])
	if err != nil {
		return rules.Effect{}, err
	}
	of := values(p.Item)
	for i, a := range argv[1:] {
		var bad error
		argv[i+1] = placeholder().ReplaceAllStringFunc(a, func(m string) string {
			v := of[strings.TrimSpace(m[2:len(m)-2])]
			if v == "" || strings.ContainsRune(v, 0) || strings.HasPrefix(a, m) && strings.HasPrefix(v, "-") {
				bad = &rules.Refusal{Why: fmt.Sprintf("its %s is no argument: it is empty, or a program would take it for an option", m)}
			}
			return v
		})
		if bad != nil {
			return rules.Effect{}, bad
		}
	}
	shown := append([]string{argv[0]}, ecosystem.MaskArgs(argv[1:])...)
	words := make([]string, len(shown))
	for i, w := range shown {
		words[i] = snapshot.ShellWord(w)
	}
	e := rules.Effect{Target: string(p.Item.Key), What: "run " + strings.Join(words, " "),
		Deed: &rules.Deed{Of: "run", Args: map[string]string{"argv": strings.Join(words, " "), "env": p.Params["env_allow"], "timeout": p.Params["timeout"]},
			Now: map[string]string{"argv": asJSON(argv)}}}
	if !p.Trusted {
		return e, &rules.Refusal{Why: "the rules lie in the project, and who may change it could run code here",
			Hint: "put the rules into a file outside of the project (recovery.rules of a configuration outside of it names it), or give --trust-config"}
	}
	return e, outside(p.Sources.Host(), argv[0])
}

// renewCommand returns an interrupted deed with the arguments that it had, which
// stand nowhere. A *rules.Refusal is that the rule or its item is another by now.
func renewCommand(p *rules.Preparation, d rules.Deed) (rules.Deed, error) {
	e, err := prepareCommand(p)
	switch {
	case err != nil:
		return d, err
	case !e.Deed.Same(&d):
		return d, &rules.Refusal{Why: "its rule has another program to run by now"}
	}
	d.Now = e.Deed.Now
	return d, nil
}

func asJSON(words []string) string {
	b, err := json.Marshal(words)
	if err != nil {
		panic(err) // texts
	}
	return string(b)
}

// outside refuses a program of the project, or of the repository that it is a part
// of: that is what is audited, and it is never run.
func outside(h host.Host, program string) error {
	for _, resolve := range []func(string) (string, error){filepath.Abs, filepath.EvalSymlinks} {
		root, err1 := resolve(h.Root())
		root = host.Repository(root)
		at, err2 := resolve(program)
		if err := errors.Join(err1, err2); err != nil {
			return &rules.Refusal{Why: "the program cannot be found: " + program, Hint: "argv begins with the absolute path of a program"}
		}
		if rel, err := filepath.Rel(root, at); err == nil && filepath.IsLocal(rel) {
			return &rules.Refusal{Why: "the program lies in the project, or in the repository around it, and what is audited is never run", Hint: "install it outside of the repository"}
		}
	}
	return nil
}

// runCommand runs the program of a deed. That it ended otherwise than with 0 is
// no error: Settled says so.
func runCommand(ctx context.Context, h *rules.Hand, d rules.Deed) (rules.Deed, error) {
	argv, err := rules.Words(d.Now["argv"])
	if err != nil || len(argv) == 0 {
		return d, errors.New("what is to be run is not known any more")
	}
	names, err1 := rules.Words(d.Args["env"])
	timeout, err2 := rules.ParseSpan(d.Args["timeout"])
	if err := errors.Join(err1, err2); err != nil {
		return d, err
	}
	c := host.Command{Program: argv[0], Args: argv[1:], Timeout: timeout, MaxOut: maxPrinted, MaxError: maxPrinted, KeepLast: true, Alone: true}
	secrets := []string{}
	for i, a := range ecosystem.MaskArgs(argv[1:]) {
		if a != argv[i+1] {
			_, value, _ := strings.Cut(argv[i+1], "=")
			secrets = append(secrets, argv[i+1], value)
		}
	}
	for _, n := range names {
		if v := h.Host.Env(n); v != "" {
			c.Env = append(c.Env, n+"="+v)
			secrets = append(secrets, v)
			for line := range strings.Lines(v) {
				secrets = append(secrets, strings.TrimSpace(line))
			}
		}
	}
	res, err := h.Host.Run(ctx, c)
	d.Made = map[string]string{"exit": strconv.Itoa(res.Code)}
	if out := printed(whole(res.Out)+whole(res.Err), secrets); out != "" {
		d.Made["printed"] = out
	}
	if res.TimedOut {
		return d, fmt.Errorf("it was not done after %s, and was killed with all it had started", timeout)
	}
	return d, err
}

// whole returns the end of what was printed without the line that the bound cut:
// the rest of a secret is not known for one.
func whole(b []byte) string {
	if len(b) >= maxPrinted {
		_, b, _ = bytes.Cut(b, []byte("\n"))
	}
	return string(b)
}

// ended tells how a program ended. Of one that was interrupted nobody knows, and
// its item decides.
func ended(_ context.Context, _ *rules.Hand, d rules.Deed) error {
	switch code := d.Made["exit"]; code {
	case "", "0":
		return nil
	default:
		last := ""
		if lines := strings.Split(d.Made["printed"], "\n"); lines[len(lines)-1] != "" {
			last = ": " + lines[len(lines)-1]
		}
		return fmt.Errorf("it ended with %s%s", code, last)
	}
}
