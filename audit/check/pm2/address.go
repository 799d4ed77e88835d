package pm2

import (
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// addressed makes checks say in their hints which home a command is meant for.
func addressed(all ...*audit.Check) []*audit.Check {
	for _, c := range all {
		c.Address = address
	}
	return all
}

// address names the home in the commands of a hint where audit looks at several:
// without PM2_HOME, pm2 talks to the daemon of ~/.pm2, and starts one there if none
// runs.
func address(p *audit.Pass, f *audit.Finding) {
	home, _, several := strings.Cut(f.Item.Name(), "/")
	if !several || !strings.HasPrefix(home, "home=") {
		return
	}
	it := p.Now.Item(f.Item)
	if it == nil {
		return
	}
	d := daemon(p, it)
	if d == nil {
		return
	}
	dir := snapshot.ShellWord(strings.TrimPrefix(d.Source, "daemon:"))
	f.Hint = strings.ReplaceAll(strings.ReplaceAll(f.Hint, "PM2_HOME", dir), "`pm2 ", "`PM2_HOME="+dir+" pm2 ")
}
