package action

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/klauspost/compress/gzip"

	"healthaudit/rules"
)

// pack writes a file compressed beside itself, and removes it when every byte of
// it is on the disk.
func pack(ctx context.Context, dir rules.Folder, name string, size int64) (err error) {
	in, err := dir.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer in.Close()
	st, err := in.Stat()
	if err != nil {
		return err
	}
	part := name + ".gz.audit-new"
	if err := dir.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	out, err := dir.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, st.Mode().Perm())
	if err != nil {
		return err
	}
	z, err := gzip.NewWriterLevel(out, gzip.BestSpeed)
	if err != nil {
		return errors.Join(err, out.Close())
	}
	n, err := io.Copy(z, timely{ctx, in})
	if err := errors.Join(err, z.Close(), out.Sync(), out.Close()); err != nil {
		return errors.Join(err, dir.Remove(part))
	}
	if now, err := in.Stat(); err != nil || n != size || now.Size() != size {
		return errors.Join(fmt.Errorf("%s was written to while it was compressed: it stays as it is", name), err, dir.Remove(part))
	}
	if err := dir.Rename(part, name+".gz"); err != nil {
		return errors.Join(err, dir.Remove(part))
	}
	return dir.Remove(name)
}

// timely is a file that ends with an error when the time is over.
type timely struct {
	ctx context.Context
	in  io.Reader
}

func (t timely) Read(b []byte) (int, error) {
	if t.ctx.Err() != nil {
		return 0, errors.New("the time for it is over: it stays as it is, and is compressed with the next rotation")
	}
	return t.in.Read(b)
}
