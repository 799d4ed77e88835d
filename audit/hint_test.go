package audit

import (
	"testing"

	"healthaudit/snapshot"
)

func TestHintFor(t *testing.T) {
	const hint = "`audit accept ITEM --removed` ends this."
	for item, want := range map[string]string{
		"workflows/ci.yml":            "`audit accept workflows/ci.yml --removed` ends this.",
		"pm2/api#0":                   "`audit accept 'pm2/api#0' --removed` ends this.",
		"scripts/tools/it's here.sh":  "`audit accept 'scripts/tools/it'\\''s here.sh' --removed` ends this.",
		"scripts/(system)":            hint,
		"scripts/npm:$(touch gotcha)": "`audit accept 'scripts/npm:$(touch gotcha)' --removed` ends this.",
	} {
		if got := hintFor(hint, snapshot.Key(item)); got != want {
			t.Errorf("%s: %s, want %s", item, got, want)
		}
	}
}
