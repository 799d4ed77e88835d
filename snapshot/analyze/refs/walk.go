package refs

import (
	"net/url"
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"healthaudit/snapshot/analyze/shell"
)

// scan notes what holds for the text as a whole: the functions it declares, the
// files it makes, and whether it moves about.
func (t *source) scan(stmts []*syntax.Stmt) {
	for _, s := range stmts {
		if c, ok := s.Cmd.(*syntax.CallExpr); ok && len(s.Redirs) == 0 && shell.Bare(c) {
			t.scanCall(c)
			continue
		}
		syntax.Walk(s, t.scanNode)
	}
}

func (t *source) scanNode(n syntax.Node) bool {
	switch n := n.(type) {
	case *syntax.FuncDecl:
		if n.Name != nil {
			put(&t.w.declared, n.Name.Value, true)
		}
	case *syntax.Redirect:
		switch n.Op {
		case syntax.RdrOut, syntax.AppOut, syntax.RdrClob, syntax.RdrAll, syntax.AppAll:
			t.w.makes(t.word(n.Word))
		}
	case *syntax.Assign:
		t.assign(n)
	case *syntax.CallExpr:
		t.scanCall(n)
		return !shell.Bare(n)
	case *syntax.Word:
		return !shell.BareWord(n)
	}
	return true
}

func (w *walker) makes(f word) {
	name := f.text
	if strings.Contains(name, ":") {
		if u, err := url.Parse(name); err == nil && u.Scheme != "" {
			name = u.Path
		}
	}
	if f.known && name != "" {
		put(&w.made, path.Base(name), true)
	}
}

func (t *source) scanCall(n *syntax.CallExpr) {
	if len(n.Args) == 0 {
		return
	}
	args := n.Args
	name := t.scanned(args[0])
	for len(args) > 1 && name.is("sudo", "command", "exec") {
		args = args[1:]
		name = t.scanned(args[0])
	}
	second := func(names ...string) bool { return len(args) > 1 && t.scanned(args[1]).is(names...) }
	switch {
	case name.is("cd", "pushd", "popd", "chdir"):
		t.w.moves = true
	case name.is("cp", "mv", "ln", "install", "tee", "touch", "mkdir", "curl", "wget", "rsync", "scp", "esbuild", "tsc", "envsubst", "gunzip"):
		for _, a := range args[1:] {
			if f := t.scanned(a); !name.is("tsc") || !strings.HasSuffix(f.text, ".json") { // which it reads
				t.w.makes(f)
			}
		}
	case name.is("git") && second("clone", "worktree", "submodule", "checkout", "switch", "pull", "sparse-checkout"),
		name.is("gh") && second("repo", "release", "run"),
		name.is("tar", "unzip", "degit", "svn", "hg", "7z", "bsdtar"):
		t.w.fetches = true
		if name.is("git", "gh") {
			t.cloned(args)
		}
	}
}

// cloneTakes are options of git clone whose value is the next word.
const cloneTakes = " -b --branch -o --origin -u --upload-pack --reference --reference-if-able --depth --separate-git-dir -j --jobs -c --config --filter" +
	" --template --shallow-since --shallow-exclude --server-option --bundle-uri --revision "

// cloned notes the folder of git clone, or of gh repo clone: the one that is named,
// else that of the repository.
func (t *source) cloned(args []*syntax.Word) {
	words := make([]word, len(args))
	for i, a := range args {
		words[i] = t.word(a)
	}
	i := slices.IndexFunc(words, func(w word) bool { return w.is("clone") })
	if i < 1 || i > 2 {
		return
	}
	_, rest := options(words[i+1:], cloneTakes, false)
	switch {
	case len(rest) > 1 && rest[1].known && rest[1].text != ".":
		put(&t.w.fetched, path.Base(rest[1].text), true)
	case len(rest) == 1:
		url := args[len(args)-1]
		if end, ok := url.Parts[len(url.Parts)-1].(*syntax.Lit); ok && strings.Contains(end.Value, "/") { // whatever stands before it
			put(&t.w.fetched, strings.TrimSuffix(path.Base(end.Value), ".git"), true)
		}
	}
}

// scanned is a word as scan reads it.
func (t *source) scanned(a *syntax.Word) word {
	w := t.word(a)
	if lit := a.Lit(); !w.known && strings.Contains(lit, "://") { // the ? of a URL is no glob here
		w.text, w.known = lit, true
	}
	return w
}

func (t *source) stmts(list []*syntax.Stmt, at *place) {
	for _, s := range list {
		t.stmt(s, at)
	}
}

// stmt walks one statement; at follows the changes of folder that outlive it.
func (t *source) stmt(s *syntax.Stmt, at *place) {
	for _, r := range s.Redirs {
		t.substitutions(r, *at)
	}
	if s.Background || s.Coprocess || s.Disown {
		own := *at
		at = &own
	}
	switch c := s.Cmd.(type) {
	case *syntax.CallExpr:
		t.callExpr(c, at)
	case *syntax.BinaryCmd:
		t.binary(c, at)
	case *syntax.Block:
		t.stmts(c.Stmts, at)
	case *syntax.Subshell:
		own := *at
		t.stmts(c.Stmts, &own)
	case *syntax.IfClause:
		t.ifClause(c, at)
	case *syntax.WhileClause:
		cond := *at
		cond.guarded = true
		t.stmts(c.Cond, &cond)
		t.branch(c.Do, at, at.guarded || tests(c.Cond))
	case *syntax.ForClause:
		t.substitutions(c.Loop, *at)
		t.branch(c.Do, at, at.guarded)
	case *syntax.CaseClause:
		for _, item := range c.Items {
			t.branch(item.Stmts, at, at.guarded)
		}
	case *syntax.FuncDecl: // runs somewhere later, in the folder of that moment
		own := *at
		own.known = own.known && !t.w.moves
		if c.Body != nil {
			t.stmt(c.Body, &own)
		}
	case *syntax.TimeClause:
		if c.Stmt != nil {
			t.stmt(c.Stmt, at)
		}
	case *syntax.CoprocClause:
		own := *at
		t.stmt(c.Stmt, &own)
	case nil:
	default: // tests, arithmetic, declarations start nothing but what they substitute
		t.substitutions(c, *at)
	}
}

// branch walks statements that may run or not. When they would leave the
// folder changed, it is not known afterwards.
func (t *source) branch(list []*syntax.Stmt, at *place, guarded bool) {
	own := *at
	own.guarded = guarded
	t.stmts(list, &own)
	if own.dir != at.dir || own.known != at.known {
		at.known = false
	}
}

func (t *source) ifClause(c *syntax.IfClause, at *place) {
	guarded := at.guarded
	for ; c != nil; c = c.Else {
		if len(c.Cond) > 0 {
			was := at.guarded
			at.guarded = true
			t.stmts(c.Cond, at)
			at.guarded = was
			guarded = guarded || tests(c.Cond)
		}
		t.branch(c.Then, at, guarded)
	}
}

func (t *source) binary(c *syntax.BinaryCmd, at *place) {
	if c.Op != syntax.AndStmt && c.Op != syntax.OrStmt { // both sides of a pipe are processes of their own
		left, right := *at, *at
		t.stmt(c.X, &left)
		t.stmt(c.Y, &right)
		return
	}
	list, or := chain(c)
	caught := make([]bool, len(list)) // a later || takes the failure
	for i := len(list) - 1; i > 0; i-- {
		caught[i-1] = caught[i] || or[i] && !fails(list[i])
	}
	was, asked := at.guarded, false
	for i, s := range list {
		to := *at
		to.guarded = was || asked || caught[i]
		t.stmt(s, &to)
		if !or[i] { // what || starts runs only if something failed: a cd there is no certain move
			*at = to
		}
		asked = asked || tests([]*syntax.Stmt{s})
	}
	at.guarded = was
}

// chain returns the statements of a && b || c in order; or[i] says that || stands
// before list[i].
func chain(c *syntax.BinaryCmd) (list []*syntax.Stmt, or []bool) {
	for {
		list, or = append(list, c.Y), append(or, c.Op == syntax.OrStmt)
		x, ok := c.X.Cmd.(*syntax.BinaryCmd)
		if !ok || x.Op != syntax.AndStmt && x.Op != syntax.OrStmt || c.X.Negated || c.X.Background || len(c.X.Redirs) > 0 {
			list, or = append(list, c.X), append(or, false)
			slices.Reverse(list)
			slices.Reverse(or)
			return list, or
		}
		c = x
	}
}

func (t *source) callExpr(c *syntax.CallExpr, at *place) {
	t.substitutions(c, *at)
	start := len(t.w.words)
	for _, a := range c.Args {
		t.w.words = append(t.w.words, t.word(a))
	}
	args := t.w.words[start:len(t.w.words):len(t.w.words)]
	if len(args) > 0 && !(args[0].known && t.w.declared[args[0].text]) && !t.move(args, at) {
		t.w.call(args, *at, t.depth)
	}
	t.w.words = t.w.words[:start]
}

// maxPushed bounds the folders that pushd keeps.
const maxPushed = 32

// move follows cd, pushd and popd.
func (t *source) move(args []word, at *place) bool {
	switch {
	case args[0].is("cd", "chdir", "pushd"):
		_, rest := options(args[1:], "", true)
		before := *at
		before.stack = nil
		stack := at.stack
		switch {
		case len(rest) == 0:
			at.known = false
		case rest[0].known && !rest[0].rooted && !strings.HasPrefix(rest[0].text, "..") && (t.w.fetches || t.w.made[path.Base(rest[0].text)]): // into what was just fetched, perhaps
			at.known = false
		default:
			*at = at.in(rest[0])
		}
		if args[0].is("pushd") && len(stack) < maxPushed {
			at.stack = append(stack[:len(stack):len(stack)], before)
		}
	case args[0].is("popd"):
		if n := len(at.stack); n > 0 {
			stack := at.stack[:n-1]
			guarded := at.guarded
			*at = at.stack[n-1]
			at.stack, at.guarded = stack, guarded
		} else {
			at.known = false
		}
	default:
		return false
	}
	return true
}
