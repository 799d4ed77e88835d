package archive

import (
	"path"
	"path/filepath"
)

// An owner is whose a restored file is to be. Run as root, a restore must not
// leave files that the project's own user may no longer write: each belongs to
// whom the file belonged that it replaces, and a new one to the owner of the
// folder it comes into.
type owner struct {
	uid, gid int
	ok       bool
}

func (r *Restorer) owner(p string) owner {
	for at := p; ; at = path.Dir(at) {
		if st, err := r.Target.Lstat(filepath.FromSlash(at)); err == nil {
			uid, gid, ok := ownerOf(st)
			return owner{uid, gid, ok}
		}
		if at == "." {
			return owner{}
		}
	}
}

func (r *Restorer) give(name string, o owner) error {
	if !o.ok {
		return nil
	}
	return r.Target.Lchown(name, o.uid, o.gid)
}

// folders makes the folders above a file, as their parent's owner.
func (r *Restorer) folders(dir string) error {
	var missing []string
	for at := dir; at != "."; at = path.Dir(at) {
		if _, err := r.Target.Lstat(filepath.FromSlash(at)); err == nil {
			break
		}
		missing = append(missing, at)
	}
	o := r.owner(dir)
	if err := r.Target.MkdirAll(filepath.FromSlash(dir), 0o755); err != nil {
		return err
	}
	for _, at := range missing {
		if err := r.give(filepath.FromSlash(at), o); err != nil {
			return err
		}
	}
	return nil
}
