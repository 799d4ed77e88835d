package rules

import (
	"errors"
	"slices"
	"testing"
	"time"
)

func journal(t *testing.T, n int) (raw [][]byte) {
	t.Helper()
	prev := ""
	for i := range n {
		b, err := Chain(uint64(i), prev, Entry{At: time.Unix(int64(i), 0), Command: "restore", Phase: "done", What: "x"})
		if err != nil {
			t.Fatal(err)
		}
		raw, prev = append(raw, b), Hash(b)
	}
	return raw
}

func verify(raw [][]byte, head []byte, n uint64) error {
	var v Verifier
	for _, b := range raw {
		if _, err := v.Add(b); err != nil {
			return err
		}
	}
	return v.End(n, Hash(head))
}

func TestVerifier(t *testing.T) {
	raw := journal(t, 6)
	if err := verify(raw, raw[5], 6); err != nil {
		t.Fatalf("an honest journal: %v", err)
	}
	for name, c := range map[string]struct {
		tamper func([][]byte) [][]byte
		at     uint64
	}{
		"edited":       {func(r [][]byte) [][]byte { r[2] = []byte(string(r[2][:len(r[2])-1]) + " }"); return r }, 4},
		"removed":      {func(r [][]byte) [][]byte { return slices.Delete(r, 2, 3) }, 3},
		"swapped":      {func(r [][]byte) [][]byte { r[2], r[3] = r[3], r[2]; return r }, 3},
		"cut_off":      {func(r [][]byte) [][]byte { return r[:5] }, 6},
		"torn":         {func(r [][]byte) [][]byte { r[1] = r[1][:9]; return r }, 2},
		"last_changed": {func(r [][]byte) [][]byte { r[5] = journal(t, 1)[0]; return r }, 6},
	} {
		t.Run(name, func(t *testing.T) {
			err := verify(c.tamper(slices.Clone(raw)), raw[5], 6)
			var chain *ChainError
			if !errors.As(err, &chain) || chain.Seq != c.at {
				t.Errorf("%v, want an error at entry %d", err, c.at)
			}
		})
	}
}
