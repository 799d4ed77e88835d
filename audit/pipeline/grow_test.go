package pipeline

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"healthaudit/snapshot"
	"healthaudit/snapshot/store"
)

var (
	growFrom = flag.String("grow.from", "", "store of at least one run")
	growTo   = flag.String("grow.to", "", "store to make of it")
	growBy   = flag.Int("grow.by", 0, "snapshots to add to it")
)

// TestGrow makes the stores of the benchmark, which real runs would take hours
// for: a copy of a store with so many more snapshots, each an hour later than the
// one before and with two items changed.
func TestGrow(t *testing.T) {
	if *growTo == "" {
		t.Skip("makes a store for make bench: -grow.from -grow.to -grow.by")
	}
	b, err := os.ReadFile(*growFrom)
	if err == nil {
		err = os.WriteFile(*growTo, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(*growTo, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	r := rand.New(rand.NewPCG(3, uint64(*growBy)))
	for done := 0; done < *growBy; done += 50 {
		if err := st.Update(func(tx *store.Tx) error { return grow(tx, r, min(50, *growBy-done)) }); err != nil {
			t.Fatal(err)
		}
	}
}

func grow(tx *store.Tx, r *rand.Rand, n int) error {
	newest := tx.Seq()
	s, info, err := LoadSnapshot(tx, newest)
	if err != nil {
		return err
	}
	for range n {
		info.Started = info.Started.Add(time.Hour)
		info.ID = ulid.MustNewDefault(info.Started).String()
		body, err := json.Marshal(info)
		if err != nil {
			return err
		}
		seq, err := tx.AppendSnapshot(store.Header{ID: info.ID, At: info.Started, Score: int32(7000 + r.IntN(900)), Items: uint32(len(s.Items)), Brief: info.Brief().encode(), Body: body})
		if err != nil {
			return err
		}
		for range 2 {
			it := s.Items[r.IntN(len(s.Items))]
			if len(it.Files) == 0 {
				continue
			}
			text := fmt.Appendf(nil, "%s as of snapshot %d: %x", it.Key, seq, r.Uint64())
			it.Files[0].SHA256, it.Files[0].Size = snapshot.Sum(text), int64(len(text))
			err = errors.Join(err, tx.PutBlob(it.Files[0].SHA256, text, ""), tx.Table(tableItem).Put(seq, string(it.Key), it.Encode()))
		}
		err = errors.Join(err, tx.PutObs(seq, string(snapshot.Workflows), []byte("{}")))
		if err != nil {
			return err
		}
	}
	return nil
}
