package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"healthaudit/snapshot/store"
)

// A Success is what the file last_success beside the store says: when the
// auditor last did its work, whatever it found.
type Success struct {
	Store string    `json:"store"` // the name of its file
	At    time.Time `json:"at"`    // when the run began
	Seq   uint64    `json:"seq"`
	Run   string    `json:"run"`
	Score *float64  `json:"score"`
	Exit  int       `json:"exit"`
}

// SuccessPath is where the last success of a store is noted.
func SuccessPath(storePath string) string {
	return filepath.Join(filepath.Dir(storePath), "last_success")
}

// ReadSuccess reads what a run of that store noted last. Errors: fs.ErrNotExist,
// the operating system's, or what is wrong with the file.
func ReadSuccess(storePath string) (*Success, error) {
	path, s := SuccessPath(storePath), &Success{}
	if err := readNote(path, s); err != nil {
		return nil, err
	}
	if s.Store != filepath.Base(storePath) || s.At.IsZero() {
		return nil, fmt.Errorf("%s is about the store %q", path, s.Store)
	}
	return s, nil
}

// LastSuccess reads what the store itself says of its last run. Errors:
// store.ErrNotExist when it holds none, or the store's.
func LastSuccess(tx *store.Tx, storePath string) (*Success, error) {
	h, ok, err := tx.Header(tx.Seq())
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, store.ErrNotExist
	}
	var i Info
	if err := json.Unmarshal(h.Body, &i); err != nil {
		return nil, err
	}
	return &Success{Store: filepath.Base(storePath), At: h.At, Seq: tx.Seq(), Run: h.ID, Score: scoreOf(h), Exit: i.Exit}, nil
}

// noteSuccess notes a run that was kept.
func (r *Runner) noteSuccess(v *View) error {
	score, _ := floored(v.Score.Value)
	err := writeNote(SuccessPath(r.Store), Success{Store: filepath.Base(r.Store), At: sec(v.Info.Started), Seq: v.Seq, Run: v.Info.ID, Score: score, Exit: v.Info.Exit})
	return errors.Join(err, Kept(r.Store))
}
