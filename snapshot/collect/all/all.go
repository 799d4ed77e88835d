// Package all lists every collector. It is a package of its own because the
// collectors import package collect.
package all

import (
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/collect/function"
	"healthaudit/snapshot/collect/pm2"
	"healthaudit/snapshot/collect/script"
	"healthaudit/snapshot/collect/workflow"
)

// Collectors lists every collector, in report order.
var Collectors = []*collect.Collector{
	pm2.Collector,
	workflow.Collector,
	function.Collector,
	script.Collector,
}
