package function

import (
	"fmt"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/netlify"
)

// ReadonlyWrite finds functions that write where nothing can be written.
var ReadonlyWrite = &audit.Check{
	ID:       "function-readonly-write",
	System:   snapshot.Functions,
	Title:    "writes to a read-only file system",
	Severity: audit.Medium,
	Doc: "Where Netlify runs functions, everything but /tmp is read-only, and /tmp is gone with the instance. Code that writes below process.cwd() or " +
		"beside itself works on every developer's machine and fails with EROFS when it is deployed.",
	Hint:          "Write to os.tmpdir() what only this call needs; keep what must last in Netlify Blobs or another store.",
	Discriminator: "path of the file and what it writes",
	Source:        "docs.aws.amazon.com/lambda: the function's file system; measured",
	Still:         true,
	Judge: func(p *audit.Pass) {
		deeds(p, netlify.DeedWrite, func(string, netlify.Deed) bool { return true }).each(func(s *spot) {
			where, what, _ := strings.Cut(s.what, " ")
			p.Report(s.report(fmt.Sprintf("writes %s, which is read-only where Netlify runs it", written(where, what))))
		})
	},
}

func written(from, what string) string {
	base := map[string]string{"cwd": "its working folder", "dir": "its own folder", "abs": "the file system"}[from]
	if what == "" || what == "." || what == "*" {
		return "into " + base
	}
	return tidy(strings.TrimSuffix(what, "/*")) + " into " + base
}

// RunsGit finds functions that call git.
var RunsGit = &audit.Check{
	ID:       "function-runs-git",
	System:   snapshot.Functions,
	Title:    "calls git",
	Severity: audit.Medium,
	Doc: "Where Netlify runs functions there is neither git nor a working copy of the project, nor credentials to push. A function that commits and pushes " +
		"fails at every call, and often hides that behind a caught error.",
	Hint:          "Do it in a workflow, which has a checkout and a token, or through the API of the host of the repository.",
	Discriminator: "path of the file and the verb",
	Source:        "Netlify runs functions in AWS Lambda's Node image, which has no git",
	Still:         true,
	Judge: func(p *audit.Pass) {
		deeds(p, netlify.DeedGit, func(string, netlify.Deed) bool { return true }).each(func(s *spot) {
			p.Report(s.report(fmt.Sprintf("runs git%s, and there is no git where Netlify runs it", s.what)))
		})
	},
}

// HidesFailure finds functions that answer 200 when they failed.
var HidesFailure = &audit.Check{
	ID:       "function-hides-failure",
	System:   snapshot.Functions,
	Title:    "answers 200 when it failed",
	Severity: audit.Low,
	Doc: "The function answers status 200 with a body that says that it failed (ok: false, or an error from a catch block). Monitors, redirects and " +
		"callers that look at the status take it for success, and Netlify's log shows no failure.",
	Hint:          "Answer 500 where it failed, or 502 when another service did.",
	Discriminator: "path of the file",
	Source:        "seen in the wild: every handler of a project ended in catch → 200 {ok:false}",
	Still:         true,
	Judge: func(p *audit.Pass) {
		deeds(p, netlify.DeedMasked, func(string, netlify.Deed) bool { return true }).each(func(s *spot) {
			p.Report(s.report("answers 200 although the body says that it failed"))
		})
	},
}

// UnbundledFile finds files that functions need at run time and that are not in
// their bundle.
var UnbundledFile = &audit.Check{
	ID:       "function-unbundled-file",
	System:   snapshot.Functions,
	Title:    "needs a file that is not bundled",
	Severity: audit.Medium,
	Doc: "A function is deployed with the modules that it imports, and with nothing else. A script that it starts as another program, or a file that it reads " +
		"by a path, is not there when it runs (ENOENT), unless included_files names it. Files beside the code that the nft bundler finds by itself do not count.",
	Hint:          "Add the file to included_files in netlify.toml, or import what it does as a module.",
	Discriminator: "path of the file and what it needs",
	Source:        "netlify/cli#4738, netlify/functions#340; @netlify/zip-it-and-ship-it 16, measured",
	Still:         true,
	Judge: func(p *audit.Pass) {
		for _, kind := range []string{netlify.DeedRun, netlify.DeedRead} {
			unbundled(p, kind).each(func(s *spot) {
				_, what, _ := strings.Cut(s.what, " ")
				verb := map[string]string{netlify.DeedRun: "starts", netlify.DeedRead: "reads"}[kind]
				r := s.report(fmt.Sprintf("%s %s, which is not in its bundle", verb, tidy(what)))
				r.Confidence = audit.Likely
				p.Report(r)
			})
		}
	},
}

// unbundled gathers files of the project that functions need and do not bring.
// Reading counts only where the bundler does not look for it by itself.
func unbundled(p *audit.Pass, kind string) spots {
	out := spots{}
	for _, it := range p.Items() {
		bundler, _ := it.Fact("bundler")
		if it.Kind != kindFunction || kind == netlify.DeedRead && bundler.Str() == netlify.BundlerNFT {
			continue
		}
		fn, _ := analysis(p, it)
		settings, known := settingsOf(p, it)
		said, _ := closure(p, it)
		for file, src := range said {
			for _, d := range src.Deeds {
				needs := onDisk(file, d)
				if d.Kind != kind || !known || needs == "" {
					continue
				}
				_, bundled := said[needs]
				there := p.Now.Tree.HasFile(needs) || kind == netlify.DeedRun && d.From == "cwd" && strings.HasPrefix(needs, "../")
				if _, own := fileAt(it, needs); there && !bundled && !(own && strings.HasPrefix(needs, it.Path)) && !included(settings, fn, needs) {
					out.add(it, file, d.From+" "+d.What, d.At)
				}
			}
		}
	}
	return out
}
