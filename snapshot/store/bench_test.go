package store

import (
	"bytes"
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"testing"
	"time"
)

// bigTable puts 6,500 items of about 600 bytes into one snapshot.
func bigTable(t testing.TB, s *Store) {
	update(t, s, func(tx *Tx) error {
		seq := snap(t, tx)
		r := mrand.New(mrand.NewPCG(1, 1))
		for i := range 6500 {
			v := fmt.Appendf(nil, `{"key":"scripts/tools/%05d.sh","facts":[%x]}`, i, bytes.Repeat([]byte{byte(r.Uint32())}, 270))
			if err := tx.Table("item").Put(seq, fmt.Sprintf("scripts/tools/%05d.sh", i), v); err != nil {
				return err
			}
		}
		return nil
	})
}

// TestIdenticalRunCosts: what a run in which nothing changed adds is its header
// and its readings, and little else.
func TestIdenticalRunCosts(t *testing.T) {
	s := create(t)
	bigTable(t, s)
	body := bytes.Repeat([]byte("b"), 900)
	reading := make([]byte, 1700)
	mrand.NewChaCha8([32]byte{}).Read(reading)
	run := func() {
		update(t, s, func(tx *Tx) error {
			seq, err := tx.AppendSnapshot(Header{ID: fmt.Sprintf("01RUN%05d", tx.Seq()), At: noon, Body: body})
			var ids []string
			var values [][]byte
			err = errors.Join(err, tx.Table("item").Scan(seq, "", func(id string, v []byte, _ uint64) error {
				ids, values = append(ids, id), append(values, bytes.Clone(v))
				return nil
			}))
			for i, id := range ids {
				err = errors.Join(err, tx.Table("item").Put(seq, id, values[i]))
			}
			return errors.Join(err, tx.PutObs(seq, "pm2", reading))
		})
	}
	run()
	before, err := s.Stats()
	if err != nil {
		t.Fatal(err)
	}
	const runs = 50
	for range runs {
		run()
	}
	after, err := s.Stats()
	if err != nil {
		t.Fatal(err)
	}
	each := (after.InUseBytes - before.InUseBytes) / runs
	own := int64(len(body) + len(reading))
	t.Logf("%d bytes a run, of which %d are ours; %+v", each, each-own, after)
	if each > own+300 || each >= 4096 {
		t.Errorf("%d bytes a run for %d bytes of content", each, own)
	}
	if after.Items != 6500 || after.Snapshots != runs+2 {
		t.Errorf("%+v", after)
	}
}

func BenchmarkOpenClose(b *testing.B) {
	s := create(b)
	update(b, s, func(tx *Tx) error { snap(b, tx); return nil })
	s.Close()
	for b.Loop() {
		s, err := Open(s.Path(), Options{})
		if err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}

func BenchmarkOpenBig(b *testing.B) {
	s := create(b)
	bigTable(b, s)
	b.ReportMetric(float64(s.fileBytes(b))/1e6, "MB")
	s.Close()
	for b.Loop() {
		s, err := Open(s.Path(), Options{})
		if err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}

func BenchmarkScan(b *testing.B) {
	s := create(b)
	bigTable(b, s)
	for i := range 3 {
		update(b, s, func(tx *Tx) error {
			seq := snap(b, tx)
			for j := range 500 {
				tx.Table("item").Put(seq, fmt.Sprintf("scripts/tools/%05d.sh", j*13), fmt.Append(nil, "changed", i))
			}
			return nil
		})
	}
	for _, seq := range []uint64{4, 1} {
		b.Run(map[uint64]string{4: "newest", 1: "oldest"}[seq], func(b *testing.B) {
			for b.Loop() {
				n := 0
				view(b, s, func(tx *Tx) error {
					return tx.Table("item").Scan(seq, "", func(string, []byte, uint64) error { n++; return nil })
				})
				if n != 6500 {
					b.Fatal(n)
				}
			}
		})
	}
}

// BenchmarkChange writes 40 of 1,000 items of 2.6 kB anew in every snapshot, always in a few places.
func BenchmarkChange(b *testing.B) {
	s := create(b)
	r := mrand.New(mrand.NewPCG(1, 1))
	state := func(i int) []byte {
		v := fmt.Appendf(nil, "item %d: ", i)
		for j := range 80 {
			v = fmt.Appendf(v, "fact %d of it is %08x\n", j, j*2654435761)
		}
		return fmt.Appendf(v, "content %x size %d", r.Uint64(), r.IntN(9000))
	}
	change := func(ids []int) {
		update(b, s, func(tx *Tx) error {
			seq := snap(b, tx)
			for _, i := range ids {
				if err := tx.Table("item").Put(seq, fmt.Sprintf("scripts/tools/%05d.sh", i), state(i)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for range 10 {
		change(r.Perm(1000))
	}
	for b.Loop() {
		change(r.Perm(1000)[:40])
	}
}

func BenchmarkFirstWrite(b *testing.B) {
	for b.Loop() {
		bigTable(b, create(b))
	}
}

func BenchmarkHeaders(b *testing.B) {
	s := create(b)
	update(b, s, func(tx *Tx) error {
		for i := range 10000 {
			if _, err := tx.AppendSnapshot(Header{ID: fmt.Sprintf("01H%020d", i), At: noon.Add(time.Duration(i) * time.Hour), Body: bytes.Repeat([]byte("b"), 700)}); err != nil {
				return err
			}
		}
		return nil
	})
	for b.Loop() {
		view(b, s, func(tx *Tx) error { return tx.Headers(0, true, func(uint64, Header) bool { return true }) })
	}
}
