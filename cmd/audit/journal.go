package main

import (
	"errors"
	"fmt"

	"healthaudit/audit/pipeline"
	"healthaudit/report"
	"healthaudit/rules"
	"healthaudit/snapshot/store"
)

type journalShowCmd struct {
	listing
}

func (c *journalShowCmd) Run(a *App) error {
	return a.reading(func(_ *settings, tx *store.Tx) error {
		rows := []report.JournalRow{}
		_, err := pipeline.VerifyJournal(tx, func(e rules.Entry, hash string) {
			rows = append(rows, pipeline.JournalRow(e, hash))
		})
		var broken *rules.ChainError
		if err != nil && !errors.As(err, &broken) {
			return err
		}
		code := exitOK
		if broken != nil {
			code = exitDamaged
		}
		if err := show(a, c.listing, code, rows, report.Journal); err != nil {
			return err
		}
		if known, err := knownGaps(tx); err == nil && !a.Quiet {
			for _, s := range known {
				fmt.Fprintf(a.Stderr, "audit: %s\n", s)
			}
		}
		if broken != nil {
			return &failure{exitDamaged, broken, "the chain is unbroken up to the entry before that one; compare with the journal head printed in an earlier report"}
		}
		return nil
	})
}

type journalVerifyCmd struct{}

func (c *journalVerifyCmd) Run(a *App) error {
	return a.reading(func(_ *settings, tx *store.Tx) error {
		v, err := pipeline.VerifyJournal(tx, nil)
		var broken *rules.ChainError
		if errors.As(err, &broken) {
			return &failure{exitDamaged, broken, "compare with the journal head printed in an earlier report"}
		}
		if err != nil {
			return err
		}
		if a.Quiet {
			return nil
		}
		known, err := knownGaps(tx)
		if err != nil {
			return err
		}
		for _, s := range known {
			fmt.Fprintf(a.Stdout, "known: %s\n", s)
		}
		but := ""
		if len(known) > 0 {
			but = " but for what is known"
		}
		_, err = fmt.Fprintf(a.Stdout, "journal: %s, unbroken%s, head %06d %.12s\n", entries(v.Count), but, v.Count, v.Head)
		return err
	})
}

// knownGaps says of each gap of the journal that a repair noted where it tells so.
func knownGaps(tx *store.Tx) (out []string, err error) {
	gaps, err := tx.KnownGaps()
	for _, g := range gaps {
		verb := map[bool]string{true: "is", false: "are"}[g.From == g.To]
		out = append(out, fmt.Sprintf("%s %s lost, as the repair noted in entry %d", g, verb, g.Told))
	}
	return out, err
}

func entries(n uint64) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
}
