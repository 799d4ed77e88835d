package pm2

import (
	"fmt"
	"strconv"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// smallestProcess is below what any process takes, in bytes: a limit under it was
// meant in another unit.
const smallestProcess = 1 << 20

// MemoryLimitTiny finds declared apps whose memory limit no process can keep.
var MemoryLimitTiny = &audit.Check{
	ID: "pm2-memory-limit-tiny", System: "pm2", Title: "memory limit that no process can keep", Severity: audit.High, Confidence: audit.Certain,
	Doc: "`max_memory_restart` without a unit is in bytes: 500 is not 500 MB. PM2 looks every 30 seconds, finds the app above its limit and restarts it, for ever; " +
		"in its list the app is `online` all the time. Limits below 1 MB are reported.",
	Hint:          "Write the unit: `max_memory_restart: \"500M\"`; PM2 knows K, M and G.",
	Discriminator: "namespace and name of the app",
	Source:        "https://github.com/Unitech/pm2 lib/Worker.js (max_memory_restart, WORKER_INTERVAL), lib/API/schema.json (sbyte)",
	Still:         true,
	Judge: func(p *audit.Pass) {
		for _, app := range p.Items() {
			v, ok := app.Fact("declared.max_memory_restart")
			file := text(app, "declared.file")
			if app.Kind != "app" || !ok || file == "" {
				continue
			}
			if n, ok := sizeOf(v.Str()); ok && n > 0 && n < smallestProcess {
				p.Report(audit.Report{
					Item: snapshot.NewKey(snapshot.PM2, "file:"+snapshot.Escape(file)), Discriminator: app.Name, At: at(app),
					Message: fmt.Sprintf("%s is to be restarted above %d bytes of memory, which every process takes: PM2 restarts it every 30 seconds", app.Name, n),
				})
			}
		}
	},
}

// sizeOf reads a size as PM2 does: digits, and K, M or G.
func sizeOf(s string) (bytes int64, ok bool) {
	digits := strings.TrimRight(s, "KMG")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 0 || n >= smallestProcess || len(s)-len(digits) > 1 {
		return 0, false
	}
	switch s[len(digits):] {
	case "K":
		n <<= 10
	case "M":
		n <<= 20
	case "G":
		n <<= 30
	}
	return n, true
}
