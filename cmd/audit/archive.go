package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"filippo.io/age"

	"healthaudit/audit/pipeline"
	"healthaudit/snapshot/archive"
	"healthaudit/snapshot/host"
	"healthaudit/snapshot/store"
)

// identity is what every command shares that opens archives.
type identity struct {
	Identity string `help:"File of the secret key that opens encrypted archives, of age or ssh (also AUDIT_IDENTITY_FILE)." placeholder:"FILE"`
}

// keys reads the secret keys; none where no file is named.
func (i *identity) keys(a *App) ([]age.Identity, error) {
	name, file := "--identity", i.Identity
	if file == "" {
		name, file = "AUDIT_IDENTITY_FILE", a.Env("AUDIT_IDENTITY_FILE")
	}
	if file == "" {
		return nil, nil
	}
	ids, err := archive.Identities(file)
	if err != nil {
		return nil, &usageError{name + ": " + err.Error(), "it is the file that age-keygen wrote, or an ssh key without a passphrase"}
	}
	return ids, nil
}

// opened says what to do about an archive that could not be read.
func opened(err error) error {
	var bad *archive.DamagedError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, archive.ErrSealed):
		return &usageError{err.Error(), "name the file with the secret key: --identity FILE"}
	case errors.Is(err, archive.ErrIdentity):
		return &failure{exitAction, err, "it was encrypted for other keys: those that archive.recipients_file named when it was made"}
	case errors.As(err, &bad):
		return &failure{exitAction, err, "nothing of it was used; audit archive list names others"}
	case errors.Is(err, archive.ErrForeign):
		return &usageError{err.Error(), "audit archive list names those that are"}
	case errors.Is(err, fs.ErrNotExist):
		return &usageError{err.Error(), "audit archive list names those that are there"}
	}
	return err
}

// An archivist is what the commands work with that change something: the
// settings, the machine and the run lock.
type archivist struct {
	*settings
	host *host.OS
	lock *store.RunLock
}

func (a *App) archivist() (*archivist, error) {
	s, err := a.settings()
	if err != nil {
		return nil, err
	}
	h, err := host.New(s.root, a.Env, a.Now)
	if err != nil {
		return nil, &usageError{err.Error(), ""}
	}
	lock, err := store.Lock(a.Store, store.LockOptions{Command: a.line, Host: h.Name(), Now: a.Now()})
	if err != nil {
		h.Close()
		return nil, busy(err)
	}
	return &archivist{s, h, lock}, nil
}

func (v *archivist) close() {
	v.lock.Unlock()
	v.host.Close()
}

// owner is who this project's archives are of.
func (v *archivist) owner() string { return archive.Owner(v.host.Name(), v.host.Root()) }

// folders are where archives lie: the folder, and the second one.
func folders(c *pipeline.Backups) []string {
	if c.CopyTo == "" {
		return []string{c.Dir}
	}
	return []string{c.Dir, c.CopyTo}
}

// newest returns the path of the newest archive of this project, in either folder:
// of those that bear its name, and those that its store made.
func newest(c *pipeline.Backups, owner string, made map[string]string) (string, error) {
	var best archive.Held
	path := ""
	for _, dir := range folders(c) {
		list, err := archive.List(dir)
		if err != nil {
			return "", &usageError{err.Error(), ""}
		}
		for _, h := range list {
			if (h.Owner == owner || made[h.File] != "") && (path == "" || h.At.After(best.At)) {
				best, path = h, filepath.Join(dir, h.File)
			}
		}
	}
	if path == "" {
		return "", noArchive(c)
	}
	return path, nil
}

func noArchive(c *pipeline.Backups) error {
	return &usageError{"there is no archive of this project in " + c.Dir, "audit archive create makes one; audit archive list --all shows those of other hosts and projects"}
}

// anyArchive says where archives of this project lie, for the hint of who met a
// damaged store; "" when there are none.
func (a *App) anyArchive() string {
	s, err := a.settings()
	if err != nil {
		return ""
	}
	root := s.root
	if real, err := filepath.EvalSymlinks(root); err == nil {
		root = real
	}
	name, _ := os.Hostname()
	if _, err := newest(&s.pipeline.Backups, archive.Owner(name, root), nil); err != nil {
		return ""
	}
	return fmt.Sprintf("There are archives in %s: audit archive import --new-store makes a store of them again.", s.pipeline.Backups.Dir)
}
