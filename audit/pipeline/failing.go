package pipeline

import (
	"encoding/json"

	"healthaudit/snapshot"
	"healthaudit/snapshot/store"
)

// failing counts in how many runs in a row, the newest of them before, the listing
// of a system failed.
func failing(tx *store.Tx, now *snapshot.Snapshot, before uint64) (map[snapshot.System]int, error) {
	out := map[snapshot.System]int{}
	for _, st := range now.Systems {
		if st.Status == snapshot.StatusError {
			out[st.System] = 1
		}
	}
	if len(out) == 0 || before == 0 {
		return out, nil
	}
	const most = 10 // of more the exact number tells nothing
	var bad error
	ended, n := map[snapshot.System]bool{}, 0
	err := tx.Headers(before, true, func(_ uint64, h store.Header) bool {
		var i Info
		if bad = json.Unmarshal(h.Body, &i); bad != nil {
			return false
		}
		for sys := range out {
			if ended[sys] = ended[sys] || (&snapshot.Snapshot{Systems: i.Systems}).System(sys).Status != snapshot.StatusError; !ended[sys] {
				out[sys]++
			}
		}
		n++
		return n < most
	})
	if err == nil {
		err = bad
	}
	return out, err
}
