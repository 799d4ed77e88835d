package action

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"healthaudit/rules"
	"healthaudit/snapshot/host"
)

// A rotation is the logs of one deed on their way. Each step is found done or
// not done by what stands on the disk, so that an interrupted one is carried on.
type rotation struct {
	h     *rules.Hand
	home  string
	files map[string]uint64 // absolute path → inode of the log that is to go
	keep  int
}

func newRotation(h *rules.Hand, d rules.Deed) (*rotation, error) {
	r := &rotation{h: h, home: d.Args["home"]}
	if err := json.Unmarshal([]byte(d.Args["files"]), &r.files); err != nil {
		return nil, fmt.Errorf("the logs to rotate: %w", err)
	}
	var err error
	r.keep, err = strconv.Atoi(d.Args["keep"])
	return r, err
}

// stampForm is the time behind the name of a log that was put aside.
const stampForm = "20060102T150405Z"

// Bounds of waiting: for a log that PM2 opens anew, and for the old one to come
// to rest, as lines under way are still written to it.
const (
	untilOpen = 10 * time.Second
	untilRest = 15 * time.Second
)

func (r *rotation) do(ctx context.Context) error {
	names := slices.Sorted(maps.Keys(r.files))
	pending := false
	for _, file := range names {
		err := r.rename(file)
		var raw []string
		if err == nil {
			raw, _, err = r.aside(file)
		}
		if err != nil { // PM2 would write on into what has another name
			return errors.Join(err, r.back(names))
		}
		pending = pending || len(raw) > 0
	}
	if !pending {
		return nil
	}
	if _, err := send(ctx, r.h.Host, r.home, reopenLogs(), brief); err != nil {
		return errors.Join(err, r.back(names))
	}
	for _, file := range names {
		if err := r.opened(ctx, file); err != nil {
			return errors.Join(err, r.back(names))
		}
	}
	for _, file := range names {
		if err := r.compress(ctx, file); err != nil {
			return err
		}
		if err := r.prune(file); err != nil {
			return err
		}
	}
	return nil
}

// rename puts a log aside, if it is still the one of the plan.
func (r *rotation) rename(file string) error {
	inode, err := r.inode(file)
	if errors.Is(err, fs.ErrNotExist) || err == nil && inode != r.files[file] {
		return nil // it was done
	}
	if err != nil {
		return err
	}
	return r.in(file, func(dir rules.Folder, base string) error {
		to := base + "." + r.h.Host.Now().UTC().Format(stampForm)
		if _, err := dir.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s is there already", to)
		}
		return dir.Rename(base, to)
	})
}

// opened waits until PM2 has opened a log anew, where a process writes to it.
func (r *rotation) opened(ctx context.Context, file string) error {
	all, err := listed(ctx, r.h.Host, r.home)
	if err != nil {
		return err
	}
	used := slices.ContainsFunc(all, func(p proc) bool {
		return (p.Out == file || p.Err == file || p.All == file) && p.Status == "online" && p.PID != 0
	})
	for waited := time.Duration(0); used && waited < untilOpen; waited += heartbeat {
		if inode, err := r.inode(file); err == nil && inode != r.files[file] {
			return nil
		}
		r.h.Pause(ctx, heartbeat)
	}
	if used {
		return fmt.Errorf("PM2 did not open %s anew", file)
	}
	return nil
}

// back gives logs their names again that PM2 did not open anew.
func (r *rotation) back(names []string) error {
	var errs []error
	for _, file := range names {
		if _, err := r.inode(file); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		raw, _, err := r.aside(file)
		if err == nil && len(raw) > 0 {
			err = r.in(file, func(dir rules.Folder, base string) error { return dir.Rename(raw[len(raw)-1], base) })
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// compress packs what was put aside of a log, once it has come to rest.
func (r *rotation) compress(ctx context.Context, file string) error {
	raw, _, err := r.aside(file)
	if err != nil {
		return err
	}
	return r.in(file, func(dir rules.Folder, _ string) error {
		for _, name := range raw {
			size, err := r.rest(ctx, dir, name)
			if err != nil {
				return err
			}
			if err := pack(ctx, dir, name, size); err != nil {
				return err
			}
		}
		return nil
	})
}

// rest waits until a file does not grow any more and returns its size.
func (r *rotation) rest(ctx context.Context, dir rules.Folder, name string) (int64, error) {
	last := int64(-1)
	for waited := time.Duration(0); waited < untilRest; waited += heartbeat {
		st, err := dir.Lstat(name)
		if err != nil {
			return 0, err
		}
		if st.Size() == last {
			return last, nil
		}
		last = st.Size()
		r.h.Pause(ctx, heartbeat)
	}
	return 0, fmt.Errorf("%s is still written to: it is not compressed", name)
}

// prune removes the oldest of what was put aside of a log beyond keep.
func (r *rotation) prune(file string) error {
	_, packed, err := r.aside(file)
	if err != nil {
		return err
	}
	return r.in(file, func(dir rules.Folder, _ string) error {
		for i := 0; i < len(packed)-r.keep; i++ {
			if err := dir.Remove(packed[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// aside lists what was put aside of a log, by name and so by age: raw, and packed.
func (r *rotation) aside(file string) (raw, packed []string, err error) {
	dir, err := r.h.Host.Outside(filepath.Dir(file))
	if err != nil {
		return nil, nil, err
	}
	defer dir.Close()
	return asideOf(dir, filepath.Base(file))
}

func asideOf(dir host.Files, base string) (raw, packed []string, err error) {
	list, err := dir.List(".", 100_000)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range list {
		rest, ok := strings.CutPrefix(e.Name(), base+".")
		stamp, zipped := strings.CutSuffix(rest, ".gz")
		if _, err := time.Parse(stampForm, stamp); !ok || err != nil || !e.Type().IsRegular() {
			continue
		}
		if zipped {
			packed = append(packed, e.Name())
		} else {
			raw = append(raw, e.Name())
		}
	}
	slices.Sort(raw)
	slices.Sort(packed)
	return raw, packed, nil
}

func (r *rotation) inode(file string) (uint64, error) {
	dir, err := r.h.Host.Outside(filepath.Dir(file))
	if err != nil {
		return 0, err
	}
	defer dir.Close()
	st, err := dir.Stat(filepath.Base(file))
	return st.Inode, err
}

// in changes something beside a log.
func (r *rotation) in(file string, fn func(dir rules.Folder, base string) error) error {
	dir, err := r.h.Folder(filepath.Dir(file))
	if err != nil {
		return err
	}
	defer dir.Close()
	return fn(dir, filepath.Base(file))
}

// ours reports whether a file belongs to the user that runs audit.
func ours(st host.Stat) bool {
	me := os.Getuid()
	return me < 0 || int64(st.UID) == int64(me)
}
