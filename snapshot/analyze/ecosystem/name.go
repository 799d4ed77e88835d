package ecosystem

import (
	"slices"
	"strings"

	"healthaudit/snapshot"
)

// defaultName is the name that PM2 gives an app without one: that of its
// script without the last extension (lib/Common.js renderApplicationName).
func defaultName(script string) string {
	if script == "" {
		return "undefined"
	}
	name := strings.TrimRight(script, "/")
	name = name[strings.LastIndexByte(name, '/')+1:]
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		name = name[:i]
	}
	return name
}

// ShownName returns the name of an app for keys and reports. It differs from
// PM2's only where PM2 made the name of a command line, whose arguments may be
// secret: then it is the program and a digest of the line, the same wherever
// the app is declared, running or dumped. command is "" for an app without one.
func ShownName(name, command string) string {
	if !strings.Contains(command, " ") || name != defaultName(command) {
		return name
	}
	words := strings.Fields(name)
	if len(words) == 0 || slices.Equal(MaskArgs(words[1:]), words[1:]) && program(name) == words[0] {
		return name
	}
	return program(command) + "~" + snapshot.Sum([]byte(command))[:8]
}
