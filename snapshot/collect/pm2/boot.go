package pm2

import (
	"cmp"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"healthaudit/snapshot"
	"healthaudit/snapshot/host"
)

// Bounds of what is read to learn what starts at boot.
const (
	maxUnits    = 2000    // entries of one folder
	maxUnitText = 1 << 18 // bytes of one file
)

// units is where `pm2 startup` writes its unit (PM2 lib/API/Startup.js).
const units = "/etc/systemd/system"

// boot is what starts PM2 when the machine starts. The zero value is unknown.
type boot struct {
	how       string   // "unit", "other" or "none"; "" unknown
	unit      unit     // for "unit"
	elsewhere []string // for "none": PM2 homes for which there are units
	unsure    bool     // for "none": other users' crontabs cannot be read
}

// A unit is one systemd service that resurrects PM2.
type unit struct {
	name      string
	home      string // PM2_HOME, "" when it says none
	user      string
	program   string // of ExecStart
	path      string // PATH
	targets   []string
	other     bool // it takes settings from places that are not read
	noProgram string
	noNode    string
	noUser    string
	noLink    string
}

func (b boot) facts(it *snapshot.Item) {
	if b.how == "" {
		return
	}
	it.Add(snapshot.Semantic, "boot", snapshot.Text(b.how))
	for name, v := range map[string]string{
		"unit": b.unit.name, "no-program": b.unit.noProgram, "no-node": b.unit.noNode, "no-user": b.unit.noUser, "no-link": b.unit.noLink,
	} {
		if v != "" {
			it.Add(snapshot.Semantic, "boot."+name, snapshot.Text(v[:min(len(v), 300)]))
		}
	}
	if len(b.elsewhere) > 0 {
		it.Add(snapshot.Set, "boot.elsewhere", snapshot.SetOf(b.elsewhere...))
	}
	if b.unsure {
		it.Add(snapshot.Volatile, "boot.unsure", snapshot.Bool(true))
	}
}

// readBoot learns what starts the daemon of a home at boot. Where systemd does
// not run (sd_booted(3)) that is unknown: a container, another init, another
// platform have ways of their own.
func (b *builder) readBoot(h *home) boot {
	hst := b.s.Host
	run, err := hst.Outside("/run/systemd/system")
	if err != nil {
		return boot{}
	}
	run.Close()
	dir, err := hst.Outside(units)
	if err != nil {
		return boot{}
	}
	defer dir.Close()
	list, err := dir.List(".", maxUnits)
	if err != nil {
		return boot{}
	}
	found := boot{how: "none"}
	var ours []unit
	for _, e := range list {
		if !strings.HasSuffix(e.Name(), ".service") {
			continue
		}
		u, mentions, err := readUnit(dir, e.Name())
		switch {
		case err != nil && strings.HasPrefix(e.Name(), "pm2"):
			return boot{}
		case !mentions:
			continue
		case u.other || !strings.HasPrefix(u.name, "pm2") || !strings.HasSuffix(u.program, "pm2"):
			found.how = "other" // made by hand: whom it starts is not for us to say
			continue
		}
		if u.home == "" {
			u.home = userHome(hst, u.user)
		}
		if u.home == h.path || realPath(hst, u.home) == h.daemon.real {
			b.examine(&u, dir)
			ours = append(ours, u)
		} else if u.home != "" {
			found.elsewhere = append(found.elsewhere, u.home)
		}
	}
	slices.SortStableFunc(ours, func(u, v unit) int { return u.faults() - v.faults() })
	switch {
	case len(ours) > 0:
		return boot{how: "unit", unit: ours[0]}
	case found.how == "other" || mentioned(hst, h):
		return boot{how: "other"}
	}
	found.unsure = !crontabs(hst)
	return found
}

func (u *unit) faults() (n int) {
	for _, s := range []string{u.noProgram, u.noNode, u.noUser, u.noLink} {
		if s != "" {
			n++
		}
	}
	return n
}

// readUnit reads a unit with its drop-ins. Of its environment only PM2_HOME and
// PATH are kept.
func readUnit(dir host.Files, name string) (u unit, mentions bool, err error) {
	text, err := dir.Read(name, maxUnitText)
	if err != nil {
		return u, false, err
	}
	all := string(text)
	if extra, err := dir.List(name+".d", maxUnits); err == nil {
		for _, e := range extra {
			if strings.HasSuffix(e.Name(), ".conf") {
				text, err := dir.Read(name+".d/"+e.Name(), maxUnitText)
				u.other = u.other || err != nil
				all += "\n" + string(text)
			}
		}
	}
	u.name = name
	for line := range strings.Lines(all) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok || strings.HasPrefix(key, "#") || strings.HasPrefix(key, ";") {
			continue
		}
		u.set(strings.TrimSpace(key), strings.TrimSpace(value))
	}
	return u, strings.Contains(all, "pm2"), nil
}

func (u *unit) set(key, value string) {
	switch key {
	case "User":
		u.user = value
	case "ExecStart":
		program, _, _ := strings.Cut(value, " ")
		u.program = strings.TrimLeft(program, "-@:+!")
	case "EnvironmentFile":
		u.other = u.other || value != ""
	case "WantedBy":
		u.targets = append(u.targets, strings.Fields(value)...)
	case "Environment":
		for _, kv := range assignments(value) {
			name, v, _ := strings.Cut(kv, "=")
			switch name {
			case "PM2_HOME":
				u.home = path.Clean(v)
				u.other = u.other || strings.Contains(v, "%") // a specifier: systemd.unit(5)
			case "PATH":
				u.path = v
			}
		}
	}
}

// assignments splits the value of Environment= (systemd.exec(5)): words, of
// which quotes hold one together.
func assignments(s string) (out []string) {
	var word strings.Builder
	quote := rune(0)
	for _, c := range s {
		switch {
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case c == quote:
			quote = 0
		case quote == 0 && (c == ' ' || c == '\t'):
			out = append(out, word.String())
			word.Reset()
		default:
			word.WriteRune(c)
		}
	}
	return append(out, word.String())
}

// examine looks for what a unit needs.
func (b *builder) examine(u *unit, dir host.Files) {
	hst := b.s.Host
	missing := func(p string) bool { yes, known := there(hst, p); return known && !yes }
	if filepath.IsAbs(u.program) && missing(u.program) {
		u.noProgram = u.program
	}
	if u.path != "" && !slices.ContainsFunc(filepath.SplitList(u.path), func(d string) bool { return !missing(filepath.Join(d, "node")) }) {
		u.noNode = "node"
	}
	// PM2 writes "undefined" where it does not find out who calls it.
	if u.user == "undefined" || u.user != "" && localUsersOnly(hst) && !hasUser(hst, u.user) {
		u.noUser = u.user
	}
	if len(u.targets) == 0 {
		u.noLink = "multi-user.target"
	}
	for _, t := range u.targets {
		if _, err := dir.Stat(t + ".wants/" + u.name); host.IsNotExist(err) {
			u.noLink = cmp.Or(u.noLink, t)
		} else {
			u.noLink = ""
			break
		}
	}
}

func etc(hst host.Host, name string) string {
	dir, err := hst.Outside("/etc")
	if err != nil {
		return ""
	}
	defer dir.Close()
	text, err := dir.Read(name, maxUnitText)
	if err != nil {
		return ""
	}
	return string(text)
}

// hasUser reports whether /etc/passwd (passwd(5)) knows a user.
func hasUser(hst host.Host, name string) bool {
	text := "\n" + etc(hst, "passwd")
	return text == "\n" || strings.Contains(text, "\n"+name+":")
}

// userHome returns where the PM2 home of a user is by default, "" unknown.
func userHome(hst host.Host, name string) string {
	for line := range strings.Lines(etc(hst, "passwd")) {
		if f := strings.Split(strings.TrimSpace(line), ":"); len(f) == 7 && f[0] == cmp.Or(name, "root") {
			return path.Join(f[5], ".pm2")
		}
	}
	return ""
}

// localUsersOnly reports whether nsswitch.conf(5) names no directory service
// that would know further users.
func localUsersOnly(hst host.Host) bool {
	for line := range strings.Lines(etc(hst, "nsswitch.conf")) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "passwd:"); ok {
			return !slices.ContainsFunc(strings.Fields(rest), func(s string) bool { return s != "files" && s != "compat" && s != "systemd" })
		}
	}
	return false
}

// mentioned reports whether something else that runs at boot names pm2: units
// of the user, scripts of older inits, crontabs.
func mentioned(hst host.Host, h *home) bool {
	user := filepath.Dir(h.daemon.real)
	for _, d := range []string{"/lib/systemd/system", filepath.Join(user, ".config/systemd/user"), "/etc/systemd/user", "/etc/init.d", "/etc/cron.d", "/var/spool/cron/crontabs", "/var/spool/cron"} {
		dir, err := hst.Outside(d)
		if err != nil {
			continue
		}
		list, _ := dir.List(".", maxUnits)
		hit := slices.ContainsFunc(list, func(e fs.DirEntry) bool {
			text, err := dir.Read(e.Name(), maxUnitText)
			return err == nil && strings.Contains(string(text), "pm2")
		})
		dir.Close()
		if hit {
			return true
		}
	}
	return strings.Contains(etc(hst, "crontab")+etc(hst, "rc.local"), "pm2")
}

// crontabs reports whether the crontabs of users can be read: `@reboot pm2
// resurrect` may stand there.
func crontabs(hst host.Host) bool {
	for _, d := range []string{"/var/spool/cron/crontabs", "/var/spool/cron"} {
		dir, err := hst.Outside(d)
		if err == nil {
			_, err = dir.List(".", maxUnits)
			dir.Close()
		}
		if err != nil && !host.IsNotExist(err) {
			return false
		}
	}
	return true
}
