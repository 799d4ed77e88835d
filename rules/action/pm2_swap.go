package action

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"

	"healthaudit/rules"
)

// Names in a PM2 home: the list and the one before it are PM2's, the other two
// are ours, and only there for a moment.
const (
	dumpName, dumpBefore = "dump.pm2", "dump.pm2.bak"
	dumpNew, dumpKept    = "dump.pm2.audit-new", "dump.pm2.audit-bak"
)

// What a deed of pm2.save made holds: the time and size of the new list, which
// tell it from any later one, and those of the one in whose place it came.
const (
	madeWritten, madeBytes       = "written", "bytes"
	madeOldWritten, madeOldBytes = "old_written", "old_bytes"
	madeHad                      = "before" // whether there was one
)

// swap puts a new dump in the place of the old one, which becomes the one before.
// What tells the new one is noted before it takes its place.
func swap(h *rules.Hand, d rules.Deed, b []byte) (rules.Deed, error) {
	dir, err := h.Folder(d.Args["home"])
	if err != nil {
		return d, err
	}
	defer dir.Close()
	old, err := contents(dir, dumpName)
	had := err == nil
	switch {
	case had:
		if d, err = marked(dir, dumpName, d, madeOldWritten, madeOldBytes); err != nil {
			return d, err
		}
		if err := replace(dir, old, dumpKept, dumpBefore); err != nil {
			return d, err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return d, err
	}
	err = put(dir, dumpNew, b)
	if err == nil {
		d, err = marked(dir, dumpNew, d.With(madeHad, strconv.FormatBool(had)), madeWritten, madeBytes)
	}
	if err == nil {
		err = h.Note(d)
	}
	if err == nil {
		err = dir.Rename(dumpNew, dumpName)
	}
	if err != nil {
		dir.Remove(dumpNew)
	}
	return d, err
}

// marked notes what tells a dump from any later one.
func marked(dir rules.Folder, name string, d rules.Deed, written, bytes string) (rules.Deed, error) {
	st, err := dir.Lstat(name)
	if err != nil {
		return d, err
	}
	return d.With(written, strconv.FormatInt(st.ModTime().UnixNano(), 10)).With(bytes, strconv.FormatInt(st.Size(), 10)), nil
}

// put writes a file that only its owner reads, to the disk.
func put(dir rules.Folder, name string, b []byte) error {
	if err := dir.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := dir.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}

// replace writes a file beside the one that it is to be, and lets it take that
// name only when all of it is on the disk.
func replace(dir rules.Folder, b []byte, beside, name string) error {
	err := put(dir, beside, b)
	if err == nil {
		err = dir.Rename(beside, name)
	}
	if err != nil {
		dir.Remove(beside)
	}
	return err
}

// contents reads a regular file of at most maxDump bytes.
func contents(dir rules.Folder, name string) ([]byte, error) {
	st, err := dir.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() || st.Size() > maxDump {
		return nil, fmt.Errorf("%s is no file that PM2 wrote", name)
	}
	f, err := dir.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxDump))
	if err == nil && int64(len(b)) != st.Size() {
		err = fmt.Errorf("%s changes just now", name)
	}
	return b, err
}

// unsave brings the list before the saved one back.
func unsave(_ context.Context, h *rules.Hand, d rules.Deed) error {
	dir, err := h.Folder(d.Args["home"])
	if err != nil {
		return err
	}
	defer dir.Close()
	now, err := marked(dir, dumpName, rules.Deed{}, madeWritten, madeBytes)
	is := func(written, bytes string) bool {
		return err == nil && now.Made[madeWritten] == d.Made[written] && now.Made[madeBytes] == d.Made[bytes]
	}
	switch {
	case len(d.Made) == 0 && d.Was["list"] != d.Args["list"] && held(h.Host, d.Args["home"]) == d.Args["list"]:
		return errors.New("it was interrupted, and it is not known who saved the list that stands there: dump.pm2.bak holds the one before")
	case len(d.Made) == 0 || is(madeOldWritten, madeOldBytes), d.Made[madeHad] == "false" && errors.Is(err, fs.ErrNotExist):
		return rules.ErrNothing
	case err != nil:
		return err
	case !is(madeWritten, madeBytes):
		return errors.New("somebody saved since: it stays as it is")
	case d.Made[madeHad] != "true":
		return dir.Remove(dumpName)
	}
	old, err := contents(dir, dumpBefore)
	if err != nil {
		return err
	}
	return replace(dir, old, dumpNew, dumpName)
}
