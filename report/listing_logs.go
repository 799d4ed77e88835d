package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A LogRow is one line of the log of runs.
type LogRow struct {
	At        time.Time      `json:"at"`
	Level     string         `json:"level"` // info, warn, error
	Component string         `json:"component"`
	PID       int            `json:"pid"` // of the run
	Message   string         `json:"message"`
	Data      map[string]any `json:"data"`
}

// Logs writes the lines in the order given.
func Logs(w io.Writer, rows []LogRow, o Options) error {
	if len(rows) == 0 {
		return say(w, o, "No such line: audit run writes the log, audit.yaml (log:) says where.")
	}
	cols := []column{{head: "TIME (UTC)", max: 19}, {head: "LEVEL", max: 5}, {head: "ABOUT", max: 9}, {head: "WHAT"}}
	return stream(w, o.columns(), cols, func(add func(...string) error) error {
		for _, r := range cleaned(rows) {
			what := r.Message
			for _, k := range slices.Sorted(maps.Keys(r.Data)) {
				v := fmt.Sprint(r.Data[k])
				if f, ok := r.Data[k].(float64); ok {
					v = strconv.FormatFloat(f, 'f', -1, 64)
				}
				if v != "" {
					what += " " + k + "=" + v
				}
			}
			if err := add(r.At.UTC().Format("2006-01-02 15:04:05"), r.Level, r.Component, strings.TrimSpace(what)); err != nil {
				return err
			}
		}
		return nil
	})
}
