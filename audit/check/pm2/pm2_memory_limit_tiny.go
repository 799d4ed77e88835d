package pm2

import (
	"fmt"
	"slices"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/ecosystem"
)

// smallestProcess is below what any process takes, in bytes: a limit under it was
// meant in another unit.
const smallestProcess = 1 << 20

// limitKey is the setting, in process files and in PM2's list.
const limitKey = "max_memory_restart"

// MemoryLimitTiny finds declared apps whose memory limit no process can keep.
var MemoryLimitTiny = &audit.Check{
	ID: "pm2-memory-limit-tiny", System: "pm2", Title: "memory limit that no process can keep", Severity: audit.High, Confidence: audit.Certain,
	Doc: "`max_memory_restart` without a unit is in bytes: 500 is not 500 MB. PM2 looks every 30 seconds, finds the app above its limit and restarts it, for ever; " +
		"in its list the app is `online` all the time. Limits below 1 MB are reported; that PM2 restarts such an app, or that it is above its limit, is not told as well.",
	Hint:          "Write the unit: `max_memory_restart: \"500M\"`; PM2 knows K, M and G.",
	Discriminator: "namespace and name of the app",
	Source:        "https://github.com/Unitech/pm2 lib/Worker.js (max_memory_restart, WORKER_INTERVAL), lib/API/schema.json (sbyte)",
	Still:         true,
	Judge: func(p *audit.Pass) {
		for _, app := range unseen(p) {
			p.Doubt(fileKey(text(app, "declared.file")), app.Name)
		}
		for _, app := range p.Items() {
			if n, ok := tinyLimit(app); ok {
				p.Report(audit.Report{
					Item: fileKey(text(app, "declared.file")), Discriminator: app.Name, At: at(app),
					Message: fmt.Sprintf("%s is to be restarted above %d bytes of memory, which every process takes: PM2 restarts it every 30 seconds", app.Name, n),
				})
			}
		}
	},
}

// tinyLimit returns the declared memory limit of an app that no process can keep, in bytes.
func tinyLimit(app *snapshot.Item) (bytes int64, ok bool) {
	v, ok := app.Fact("declared." + limitKey)
	if app.Kind != "app" || !ok || text(app, "declared.file") == "" {
		return 0, false
	}
	n, ok := ecosystem.Effective(map[string]snapshot.Value{limitKey: v})[limitKey].Num()
	return int64(n), ok && n > 0 && n < smallestProcess
}

// tinyTold reports whether pm2-memory-limit-tiny says why an app is above its memory
// limit; one that runs with a limit of its own, a larger one, has another cause.
func tinyTold(p *audit.Pass, app *snapshot.Item) bool {
	_, tiny := tinyLimit(app)
	return tiny && number(app, limitKey) < smallestProcess && !slices.Contains(p.Off, MemoryLimitTiny.ID)
}
