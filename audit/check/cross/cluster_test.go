package cross

import (
	"fmt"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/google/go-cmp/cmp"

	"healthaudit/audit/check/checktest"
	"healthaudit/snapshot/collect/script"
)

// The same stub in five files is one finding, in four files four; damage of
// another kind stays on its own.
func TestClusters(t *testing.T) {
	for n, want := range map[int][]string{
		4: {"low scripts/scripts/own.sh scripts/own.sh:2", "medium scripts/scripts/f1.sh scripts/f1.sh:2", "medium scripts/scripts/f2.sh scripts/f2.sh:2",
			"medium scripts/scripts/f3.sh scripts/f3.sh:2", "medium scripts/scripts/f4.sh scripts/f4.sh:2"},
		5: {"low scripts/scripts/own.sh scripts/own.sh:2", "medium scripts/(system) scripts/f1.sh:2"},
	} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			a := &txtar.Archive{}
			cron := "1 3 * * * cd /srv/shop && sh scripts/own.sh\n"
			for i := 1; i <= n; i++ {
				a.Files = append(a.Files, txtar.File{Name: fmt.Sprintf("tree/scripts/f%d.sh", i), Data: []byte(fmt.Sprintf("#!/bin/sh\necho Status of %d: Completed\n", i))})
				cron += fmt.Sprintf("%d 4 * * * cd /srv/shop && sh scripts/f%d.sh\n", i, i)
			}
			a.Files = append(a.Files, txtar.File{Name: "tree/ops/crontab", Data: []byte(cron)},
				txtar.File{Name: "tree/scripts/own.sh", Data: []byte("#!/bin/sh\nmake || true\n")})
			got, _ := checktest.Case(t, FakeSuccess, a, script.Collector)
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}
