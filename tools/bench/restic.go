//go:build unix

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"text/tabwriter"
)

// resticRuns is how many changed backups are made of either program, for its growth.
const resticRuns = 6

// A backup is one program that keeps versions of a folder.
type backup struct {
	name    string
	store   string // file or folder whose bytes count
	make    []string
	check   []string
	restore []string
}

// backups times audit and restic on the same folder and the same changes: what
// restic does is a part of what audit does, which judges as well, and restic
// encrypts, which audit does not.
func (b *bench) backups() (ok bool, err error) {
	if _, err := os.Stat(b.restic); err != nil {
		fmt.Printf("restic: skipped, there is no %s (make restic)\n", b.restic)
		return true, nil
	}
	dir := filepath.Join(b.temp, "backups")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return false, err
	}
	repo, store := filepath.Join(dir, "repo"), filepath.Join(dir, "audit.db")
	h, err := b.newHistory(40)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, h.undo()) }()
	env := append([]string{"RESTIC_PASSWORD=bench", "RESTIC_REPOSITORY=" + repo, "RESTIC_CACHE_DIR=" + filepath.Join(dir, "cache"), "HOME=" + dir}, b.env...)
	if out, err := b.resticSays(env, "init"); err != nil {
		return false, fmt.Errorf("restic init: %w: %s", err, out)
	}
	pair := []backup{
		{"audit", store, []string{b.audit, "run", "-q", "--fail-on", "never", "--config", h.config, "--store", store},
			[]string{b.audit, "store", "verify", "--store", store}, []string{b.audit, "restore", "latest", "--store", store, "--target"}},
		{"restic", repo, []string{b.restic, "backup", "-q", "--exclude", ".git", "."},
			[]string{b.restic, "check", "-q", "--read-data"}, []string{b.restic, "restore", "-q", "latest", "--target"}},
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "Beside restic, %d items of 20 MB\tfirst\tunchanged\t2 %% changed\teach of %d more\tof a year\tcheck all\trestore all\tpeak memory\t\n", 2000, resticRuns)
	var rows [2]measured
	for i := range pair {
		if err := rows[i].begin(b, env, pair[i]); err != nil {
			return false, err
		}
	}
	for n := range resticRuns + 1 {
		if err := h.change(); err != nil {
			return false, err
		}
		for i := range pair {
			if err := rows[i].changed(b, env, pair[i], n); err != nil {
				return false, err
			}
		}
	}
	for i := range pair {
		if err := rows[i].end(b, env, pair[i], filepath.Join(dir, "out-"+pair[i].name)); err != nil {
			return false, err
		}
		rows[i].print(w, pair[i].name)
	}
	return true, w.Flush()
}

func (b *bench) resticSays(env []string, args ...string) ([]byte, error) {
	cmd := exec.Command(b.restic, args...)
	cmd.Env = env
	return cmd.CombinedOutput()
}

// A measured is what one program needed.
type measured struct {
	first, same, change, check, restore sample
	firstBytes, before, after           int64
	memory                              int64
}

func (m *measured) time(b *bench, env []string, args ...string) (sample, error) {
	s, err := b.time(b.year, env, args[0], args[1:]...)
	m.memory = max(m.memory, s.memory)
	return s, err
}

func (m *measured) begin(b *bench, env []string, p backup) (err error) {
	if m.first, err = m.time(b, env, p.make...); err != nil {
		return err
	}
	if m.firstBytes, err = b.bytesOf(p); err != nil {
		return err
	}
	m.same, err = median(3, func() (sample, error) { return m.time(b, env, p.make...) })
	return err
}

func (m *measured) changed(b *bench, env []string, p backup, n int) error {
	s, err := m.time(b, env, p.make...)
	if err != nil {
		return err
	}
	size, err := b.bytesOf(p)
	if n == 0 {
		m.change, m.before = s, size
	}
	m.after = size
	return err
}

func (m *measured) end(b *bench, env []string, p backup, out string) (err error) {
	if m.check, err = m.time(b, env, p.check...); err != nil {
		return err
	}
	m.restore, err = m.time(b, env, append(p.restore, out)...)
	return err
}

func (m *measured) print(w *tabwriter.Writer, name string) {
	each := (m.after - m.before) / resticRuns
	fmt.Fprintf(w, "%s\t%.2f s, %.1f MB\t%.2f s\t%.2f s\t%d kB\t%.1f MB\t%.2f s\t%.2f s\t%d MB\t\n", name, m.first.wall.Seconds(), float64(m.firstBytes)/1e6,
		m.same.wall.Seconds(), m.change.wall.Seconds(), each/1000, float64(m.firstBytes+364*each)/1e6, m.check.wall.Seconds(), m.restore.wall.Seconds(), m.memory>>20)
}

// bytesOf returns what a program keeps: of a store the bytes in use, of a folder
// those of its files.
func (b *bench) bytesOf(p backup) (size int64, err error) {
	if p.name == "audit" {
		return b.inUseOf(b.year, p.store)
	}
	err = filepath.WalkDir(p.store, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	return size, err
}
