package archive

import (
	"archive/tar"
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"
	"github.com/mholt/archives"
)

// What a reader puts up with. The sum of all entries may be as large as plain
// text of the archive's size ever gets, and never less than floor.
const (
	maxManifest = 256 << 20 // bytes
	maxEntries  = 1 << 20
	maxEntry    = 128 << 20 // bytes, of everything but a store: it is read into memory
	maxRatio    = 200
	floor       = 64 << 20 // bytes
	maxWindow   = 8 << 20  // of zstd, bytes
	slack       = 4 << 10  // bytes that tar may add to an entry: headers, padding
)

// Read reads a whole archive of size bytes, checks every entry against the
// manifest, and gives each to visit (which may be nil, and need not read all of
// it). Only when it returns nil is anything of it to be trusted. It holds one
// buffer and the manifest in memory, whatever the archive claims.
//
// Errors: ErrForeign, ErrSealed, ErrIdentity, *DamagedError, those of visit, or
// the operating system's.
func Read(ctx context.Context, in io.Reader, size int64, ids []age.Identity, visit func(*Manifest, Entry, io.Reader) error) (*Manifest, error) {
	r, err := read(ctx, in, limit(size), ids, visit)
	if err != nil {
		return nil, err
	}
	return r.manifest, nil
}

// limit is how much an archive of size bytes may hold, in bytes.
func limit(size int64) int64 { return max(floor, size*maxRatio) }

// unlimited is the limit of an archive of which is not yet known how large it is.
const unlimited = math.MaxInt64 / 2

func read(ctx context.Context, in io.Reader, limit int64, ids []age.Identity, visit func(*Manifest, Entry, io.Reader) error) (*reading, error) {
	src := &source{r: in}
	plain, err := open(src, ids)
	if err != nil {
		return nil, src.or(err)
	}
	z, err := zstd.NewReader(plain, zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, src.or(foreign(err))
	}
	defer z.Close()
	r := &reading{visit: visit, limit: limit}
	r.from = &budget{r: z, left: maxManifest + slack}
	err = archives.Tar{}.Extract(ctx, r.from, r.entry)
	if err == nil {
		err = r.end(z)
	}
	if err == nil {
		if _, e := io.Copy(io.Discard, plain); e != nil { // age tells of what is missing at the end only there
			err = e
		}
	}
	if err != nil {
		return nil, src.or(r.why(err))
	}
	return r, nil
}

// open decrypts where that is needed.
func open(in io.Reader, ids []age.Identity) (io.Reader, error) {
	b := bufio.NewReaderSize(in, 64<<10)
	head, err := b.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch string(head) {
	case "\x28\xb5\x2f\xfd": // zstd: RFC 8878, 3.1.1
		return b, nil
	case "age-": // age-encryption.org/v1
	default:
		return nil, ErrForeign
	}
	if len(ids) == 0 {
		return nil, ErrSealed
	}
	out, err := age.Decrypt(b, ids...)
	var none *age.NoIdentityMatchError
	switch {
	case errors.As(err, &none):
		return nil, ErrIdentity
	case err != nil:
		return nil, damaged("age: %v", err)
	}
	return out, nil
}

func foreign(err error) error { return damaged("zstd: %v", err) }

// A reading is one pass through an archive.
type reading struct {
	visit    func(*Manifest, Entry, io.Reader) error
	from     *budget
	limit    int64
	head     int64 // size of the manifest
	manifest *Manifest
	next     int
	own      error // of visit
}

// entry checks one entry of the tar stream: it must be the one that comes next.
func (r *reading) entry(_ context.Context, f archives.FileInfo) error {
	h, ok := f.Header.(*tar.Header)
	if !ok {
		return damaged("an entry has no header")
	}
	body, err := f.Open()
	if err != nil {
		return err
	}
	defer body.Close()
	if r.manifest == nil {
		return r.first(h, body)
	}
	if r.next == len(r.manifest.Entries) {
		return damaged("the entry %.200q stands not in its manifest", h.Name)
	}
	e := r.manifest.Entries[r.next]
	r.next++
	link := h.Typeflag == tar.TypeSymlink
	switch {
	case h.Name != e.Name:
		return damaged("the entry %.200q stands where its manifest says %.200q", h.Name, e.Name)
	case link != (e.Link != "") || !link && h.Typeflag != tar.TypeReg:
		return damaged("the entry %.200q is of another kind than its manifest says", h.Name)
	case h.Linkname != e.Link || !link && h.Size != e.Size:
		return damaged("the entry %.200q is not what its manifest says", h.Name)
	}
	sum := sha256.New()
	var content io.Reader = io.TeeReader(body, sum)
	if link {
		io.WriteString(sum, e.Link)
		content = eof{}
	}
	if r.visit != nil {
		if r.own = r.visit(r.manifest, e, content); r.own != nil {
			return r.own
		}
	}
	if _, err := io.Copy(io.Discard, content); err != nil {
		return err
	}
	if hex.EncodeToString(sum.Sum(nil)) != e.SHA256 {
		return damaged("the bytes of %.200q are not what its manifest says", e.Name)
	}
	return nil
}

// first reads the manifest, which says how much may follow.
func (r *reading) first(h *tar.Header, body io.Reader) error {
	if h.Name != ManifestName || h.Typeflag != tar.TypeReg {
		return ErrForeign
	}
	if h.Size > maxManifest || h.Size > r.limit {
		return damaged("its manifest has %d bytes", h.Size)
	}
	b, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	if r.manifest, err = decodeManifest(b); err != nil {
		return err
	}
	r.head = h.Size
	total, err := r.total(r.limit)
	if err != nil {
		return err
	}
	r.from.left = total + 64<<10
	for _, e := range r.manifest.Entries {
		r.from.left += slack + int64(2*len(e.Name)+2*len(e.Link))
	}
	return nil
}

// total adds up what the manifest says that there is.
func (r *reading) total(limit int64) (sum int64, err error) {
	for _, e := range r.manifest.Entries {
		if e.Size > limit-sum {
			return 0, damaged("it claims to hold more than %d MB, %d times its own size", limit>>20, maxRatio)
		}
		sum += e.Size
	}
	return sum, nil
}

// fits checks an archive that was read before its size was known as Read would have.
func (r *reading) fits(size int64) error {
	if r.head > limit(size) {
		return damaged("its manifest has %d bytes", r.head)
	}
	_, err := r.total(limit(size))
	return err
}

// end checks that nothing is missing and nothing follows.
func (r *reading) end(z io.Reader) error {
	if r.manifest == nil {
		return ErrForeign
	}
	if n := len(r.manifest.Entries) - r.next; n > 0 {
		return damaged("it is cut off: %d of its %d entries are missing", n, len(r.manifest.Entries))
	}
	n, err := io.Copy(io.Discard, io.LimitReader(z, 64<<10))
	if err == nil && n == 64<<10 {
		err = damaged("something follows its last entry")
	}
	return err
}

// why makes an error of a library one that says what it means.
func (r *reading) why(err error) error {
	var d *DamagedError
	switch {
	case r.own != nil:
		return r.own
	case errors.As(err, &d):
		return d
	case errors.Is(err, ErrForeign):
		return ErrForeign
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return damaged("it is cut off")
	}
	return damaged("%v", err)
}

// A source remembers the error of the disk, which is no damage of the archive.
type source struct {
	r   io.Reader
	err error
}

func (c *source) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		c.err = err
	}
	return n, err
}

func (c *source) or(err error) error {
	if c.err != nil {
		return c.err
	}
	return err
}

// A budget is a reader that gives so many bytes and no more.
type budget struct {
	r    io.Reader
	left int64
}

func (b *budget) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, damaged("it is larger than its manifest says")
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.r.Read(p)
	b.left -= int64(n)
	return n, err
}

type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }

// ReadFile is Read for a file. It refuses what is no regular file.
func ReadFile(ctx context.Context, file string, ids []age.Identity, visit func(*Manifest, Entry, io.Reader) error) (*Manifest, error) {
	f, size, err := regular(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m, err := Read(ctx, f, size, ids, visit)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return m, nil
}

func regular(file string) (*os.File, int64, error) {
	st, err := os.Stat(file) // before it is opened: a pipe would wait for its writer
	if err == nil && !st.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file", file)
	}
	if err != nil {
		return nil, 0, err
	}
	f, err := os.Open(file)
	return f, st.Size(), err
}

// Digest returns the sha256 of a file in lower-case hex.
func Digest(file string) (string, error) {
	f, _, err := regular(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	_, err = io.Copy(sum, f)
	return hex.EncodeToString(sum.Sum(nil)), err
}
