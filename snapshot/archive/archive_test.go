package archive

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/crypto/ssh"

	"healthaudit/snapshot"
)

var then = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func draft(t *testing.T, sources ...Source) *Draft {
	return &Draft{Dir: filepath.Join(t.TempDir(), "archives"), Name: Name{Owner: Owner("web-1", "/srv/shop"), At: then, Seq: 7, Kind: Slim},
		Manifest: Manifest{Tool: "test", Host: "web-1", Store: "id", Snapshot: Ref{7, "01M8M8SK9RDRTQG9P9BB7T2VZA", then}}, Sources: sources}
}

func linkTo(name, target string) Source {
	return Source{Entry: Entry{Name: FilesFolder + name, Mode: 0o777, Size: int64(len(target)), SHA256: snapshot.Sum([]byte(target)), Link: target}}
}

// write writes and commits.
func write(t *testing.T, d *Draft) *Pending {
	t.Helper()
	w, err := Write(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	return w
}

// odd are files of which every one is a trap for some program.
func odd() []Source {
	long := strings.Repeat("n", 255)
	list := []Source{Bytes(StateName, 0o600, []byte("{}"))}
	for name, text := range map[string]string{"new\nline": "1", "e\u0301 decomposed": "2", "\u00e9 composed": "3", long: "4", "-rf": "5", `back\slash`: "6", "no\xffutf8": "7", "a/b/c": "8",
		"empty": "", " blank ": "9", "sparse": strings.Repeat("\x00", 3<<20) + "end", "quote'\"$(x)": "10", strings.Repeat("d/", 60) + "deep": "11", "Case": "12", "case": "13"} {
		list = append(list, Bytes(FilesFolder+name, 0o644, []byte(text)))
	}
	list = append(list, Bytes(FilesFolder+"run", 0o755, []byte("#!")), Bytes(FilesFolder+"closed", 0o400, nil), Bytes(FilesFolder+"wide", 0o777, nil),
		linkTo("link", "a/b"), linkTo("out", "../../etc/passwd"), linkTo("dangling", "/no\nwhere"))
	return list
}

func TestRoundTrip(t *testing.T) {
	w := write(t, draft(t, odd()...))
	if st, err := os.Stat(w.Path()); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", st, err)
	}
	target := t.TempDir()
	root, err := os.OpenRoot(target)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	c, err := Load(t.Context(), w.Path(), nil, func(*Manifest, Entry) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	names := map[string]string{}
	var wanted []Wanted
	for _, e := range c.Entries {
		if p, ok := strings.CutPrefix(e.Name, FilesFolder); ok {
			names[e.SHA256] = e.Name
			f := snapshot.File{Path: p, Mode: e.Mode, Size: e.Size, SHA256: e.SHA256, Link: e.Link}
			if e.Link != "" {
				f.Mode |= fs.ModeSymlink
			}
			wanted = append(wanted, Wanted{File: f})
		}
	}
	if len(wanted) != len(odd())-1 {
		t.Fatalf("%d files of %d", len(wanted), len(odd())-1)
	}
	r := &Restorer{Target: root, Policy: Never, Bytes: func(sum string) ([]byte, error) { return c.Bytes(names[sum]) }}
	for _, o := range r.Do(r.Plan(wanted)) {
		if o.Action != Written {
			t.Errorf("%q: %s %s", o.File.Path, o.Action, o.Reason)
		}
	}
	for _, s := range odd() {
		p, ok := strings.CutPrefix(s.Name, FilesFolder)
		if !ok {
			continue
		}
		at := filepath.Join(target, p)
		st, err := os.Lstat(at)
		if err != nil {
			t.Error(err)
			continue
		}
		if s.Link != "" {
			if l, _ := os.Readlink(at); l != s.Link {
				t.Errorf("%q leads to %q", p, l)
			}
			continue
		}
		in, _ := s.Open()
		want, _ := io.ReadAll(in)
		os.Chmod(at, 0o600)
		if got, err := os.ReadFile(at); !bytes.Equal(got, want) || err != nil || st.Mode().Perm() != s.Mode {
			t.Errorf("%q: %d bytes, mode %v, %v", p, len(got), st.Mode(), err)
		}
	}
}

func TestWrite_is_deterministic(t *testing.T) {
	a := write(t, draft(t, odd()...))
	list := odd()
	slices.Reverse(list)
	b := write(t, draft(t, list...))
	if a.SHA256 != b.SHA256 || a.SHA256 != a.Plain {
		t.Errorf("%s, %s", a.SHA256, b.SHA256)
	}
	if sum, err := Digest(a.Path()); sum != a.SHA256 || err != nil {
		t.Errorf("the file is %s, %v", sum, err)
	}
}

func identities(t *testing.T) map[string][2]string {
	t.Helper()
	x, err := age.GenerateX25519Identity()
	h, err2 := age.GenerateHybridIdentity()
	pub, priv, err3 := ed25519.GenerateKey(nil)
	if err := errors.Join(err, err2, err3); err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(priv, "")
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	return map[string][2]string{"x25519": {x.Recipient().String(), x.String()}, "hybrid": {h.Recipient().String(), h.String()},
		"ssh": {strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))), string(pem.EncodeToMemory(block))}}
}

func keyFile(t *testing.T, lines ...string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(name, []byte("# ours\r\n\n"+strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(lines[0], "-----") {
		os.WriteFile(name, []byte(lines[0]), 0o600)
	}
	return name
}

func TestEncryption(t *testing.T) {
	all := identities(t)
	other, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range all {
		t.Run(name, func(t *testing.T) {
			d := draft(t, Bytes(SecretsFolder+".env", 0o600, []byte("KEY=hunter2")), Bytes(StateName, 0o600, []byte("{}")))
			if d.Recipients, err = Recipients(keyFile(t, "  "+key[0])); err != nil {
				t.Fatal(err)
			}
			w := write(t, d)
			if !strings.HasSuffix(w.Path(), ".age") {
				t.Error(w.Path())
			}
			raw, _ := os.ReadFile(w.Path())
			if bytes.Contains(raw, []byte("hunter2")) || bytes.Contains(raw, []byte("MANIFEST")) {
				t.Error("it stands in the clear")
			}
			ids, err := Identities(keyFile(t, key[1]))
			if err != nil {
				t.Fatal(err)
			}
			if m, err := ReadFile(t.Context(), w.Path(), ids, nil); err != nil || len(m.Entries) != 2 || !m.Encrypted {
				t.Errorf("%+v %v", m, err)
			}
			if _, err := ReadFile(t.Context(), w.Path(), nil, nil); !errors.Is(err, ErrSealed) {
				t.Error(err)
			}
			if _, err := ReadFile(t.Context(), w.Path(), []age.Identity{other}, nil); !errors.Is(err, ErrIdentity) {
				t.Error(err)
			}
			for _, n := range []int{1, 100, len(raw) / 2, len(raw) - 1} { // cut, flipped, longer
				for _, bad := range [][]byte{raw[:n], flip(raw, n), append(bytes.Clone(raw), 'x')} {
					if _, err := Read(t.Context(), bytes.NewReader(bad), int64(len(bad)), ids, nil); err == nil {
						t.Errorf("accepted, %d of %d bytes", len(bad), len(raw))
					}
				}
			}
		})
	}
	for name, lines := range map[string][]string{"incompatible recipients": {all["x25519"][0], all["hybrid"][0]}, "secret key": {all["x25519"][1]}, "no public key": {"age1nonsense"}, "names no recipient": {"# none"},
		"no ssh-ed25519": {"ssh-ed25519 AAAA"}} {
		_, err := Recipients(keyFile(t, lines...))
		if err == nil || !strings.Contains(err.Error(), name) && !(name == "incompatible recipients" && strings.Contains(err.Error(), "incompatible")) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && (strings.Contains(err.Error(), "AGE-SECRET") || strings.Contains(err.Error(), "nonsense")) {
			t.Errorf("the key stands in %v", err)
		}
	}
	if _, err := Identities(keyFile(t, all["x25519"][0])); err == nil || strings.Contains(err.Error(), all["x25519"][0]) {
		t.Error(err)
	}
	if _, err := Recipients(filepath.Join(t.TempDir(), "gone")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func flip(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 0x20
	return b
}

// forge makes an archive whose tar stream is what a test says.
func forge(t *testing.T, m *Manifest, entries ...any) []byte {
	t.Helper()
	var b bytes.Buffer
	z, _ := zstd.NewWriter(&b)
	tw := tar.NewWriter(z)
	if m != nil {
		if m.Format == "" {
			m.Format, m.Kind = Format, Slim
		}
		head, err := m.Encode()
		if err != nil {
			t.Fatal(err)
		}
		entries = append([]any{&tar.Header{Name: ManifestName, Mode: 0o600, Typeflag: tar.TypeReg}, string(head)}, entries...)
	}
	for i := 0; i < len(entries); i += 2 {
		h, body := entries[i].(*tar.Header), entries[i+1].(string)
		h.Size = int64(len(body))
		if err := tw.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		io.WriteString(tw, body)
	}
	tw.Close()
	z.Close()
	return b.Bytes()
}

func reg(name string) *tar.Header { return &tar.Header{Name: name, Mode: 0o644, Typeflag: tar.TypeReg} }

func manifest(entries ...Entry) *Manifest { return &Manifest{Entries: entries} }

func entry(name, body string) Entry {
	return Entry{Name: name, Mode: 0o644, Size: int64(len(body)), SHA256: snapshot.Sum([]byte(body))}
}

func TestRead_hostile(t *testing.T) {
	z, _ := zstd.NewWriter(nil)
	good := forge(t, manifest(entry("files/a", "x")), reg("files/a"), "x")
	if _, err := Read(t.Context(), bytes.NewReader(good), int64(len(good)), nil, nil); err != nil {
		t.Fatalf("a good one: %v", err)
	}
	link := entry("files/l", "/etc/passwd")
	link.Link = "/etc/passwd"
	stray := entry("state/l", "/etc/passwd")
	stray.Link = "/etc/passwd"
	huge := entry("files/huge", "")
	huge.Size = 1 << 40
	var many []Entry
	for i := range 5 {
		e := entry(fmt.Sprintf("files/%d", i), "")
		e.Size = 100 << 20
		many = append(many, e)
	}
	bomb := strings.Repeat("\x00", 100<<20)
	for name, tc := range map[string]struct {
		raw  []byte
		want string
	}{
		"traversal":          {forge(t, manifest(entry("files/../../x", "x")), reg("files/../../x"), "x"), "leads out"},
		"up at once":         {forge(t, manifest(entry("../x", "x")), reg("../x"), "x"), "leads out"},
		"absolute":           {forge(t, manifest(entry("/etc/x", "x")), reg("/etc/x"), "x"), "leads out"},
		"absolute below":     {forge(t, manifest(entry("files//etc/x", "x")), reg("files//etc/x"), "x"), "leads out"},
		"a folder's name":    {forge(t, manifest(entry("files/..", "x")), reg("files/.."), "x"), "leads out"},
		"no folder":          {forge(t, manifest(entry("x", "x")), reg("x"), "x"), "leads out"},
		"nul":                {forge(t, manifest(entry("files/a\x00b", "x"))), "leads out"},
		"twice":              {forge(t, manifest(entry("files/a", "x"), entry("files/a", "x")), reg("files/a"), "x", reg("files/a"), "x"), "twice"},
		"out of order":       {forge(t, manifest(entry("files/b", "x"), entry("files/a", "x"))), "out of order"},
		"not in manifest":    {forge(t, manifest(entry("files/a", "x")), reg("files/a"), "x", reg("files/b"), "x"), "stands not in its manifest"},
		"another name":       {forge(t, manifest(entry("files/a", "x")), reg("files/b"), "x"), "where its manifest says"},
		"missing":            {forge(t, manifest(entry("files/a", "x"), entry("files/b", "y")), reg("files/a"), "x"), "1 of its 2 entries are missing"},
		"other bytes":        {forge(t, manifest(entry("files/a", "x")), reg("files/a"), "y"), "not what its manifest says"},
		"longer":             {forge(t, manifest(entry("files/a", "x")), reg("files/a"), "xx"), "not what its manifest says"},
		"device":             {forge(t, manifest(entry("files/a", "")), &tar.Header{Name: "files/a", Typeflag: tar.TypeChar, Devmajor: 1}, ""), "of another kind"},
		"fifo":               {forge(t, manifest(entry("files/a", "")), &tar.Header{Name: "files/a", Typeflag: tar.TypeFifo}, ""), "of another kind"},
		"folder":             {forge(t, manifest(entry("files/a", "")), &tar.Header{Name: "files/a", Typeflag: tar.TypeDir}, ""), "of another kind"},
		"hard link":          {forge(t, manifest(entry("files/a", "")), &tar.Header{Name: "files/a", Typeflag: tar.TypeLink, Linkname: "/etc/passwd"}, ""), "of another kind"},
		"a link for a file":  {forge(t, manifest(entry("files/a", "")), &tar.Header{Name: "files/a", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}, ""), "of another kind"},
		"a file for a link":  {forge(t, manifest(link), reg("files/l"), "/etc/passwd"), "of another kind"},
		"another link":       {forge(t, manifest(link), &tar.Header{Name: "files/l", Typeflag: tar.TypeSymlink, Linkname: "/etc/shadow"}, ""), "not what its manifest says"},
		"a link for a state": {forge(t, manifest(stray)), "is a link"},
		"claims too much":    {forge(t, manifest(huge)), "more than audit ever keeps"},
		"claims much, often": {forge(t, manifest(many...)), "times its own size"},
		"bomb":               {forge(t, manifest(entry("files/a", "x")), reg("files/a"), "x", reg("files/bomb"), bomb), "stands not in its manifest"},
		"bomb of a manifest": {forge(t, nil, reg(ManifestName), bomb), "its manifest has"},
		"bomb after the end": {append(bytes.Clone(good), z.EncodeAll([]byte(bomb), nil)...), "follows its last entry"},
		"no manifest":        {forge(t, nil, reg("files/a"), "x"), "no archive of audit"},
		"manifest later":     {forge(t, nil, reg("files/a"), "x", reg(ManifestName), "{}"), "no archive of audit"},
		"not json":           {forge(t, nil, reg(ManifestName), "nonsense"), "not readable"},
		"another format":     {forge(t, &Manifest{Format: "audit.archive/v9", Kind: Slim}), "does not read"},
		"foreign json":       {forge(t, nil, reg(ManifestName), "{}"), "no archive of audit"},
		"empty tar":          {forge(t, nil), "no archive of audit"},
		"empty zstd":         {z.EncodeAll(nil, nil), "no archive of audit"},
		"nothing":            {nil, "no archive of audit"},
		"gzip":               {[]byte("\x1f\x8b\x08\x00"), "no archive of audit"},
		"zstd of noise":      {z.EncodeAll([]byte(strings.Repeat("noise", 400)), nil), "damaged"},
		"cut":                {good[:len(good)-5], "cut off"},
		"flipped":            {flip(good, len(good)-8), ""},
		"age and nothing":    {[]byte("age-encryption.org/v1\n"), "damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			x, _ := age.GenerateX25519Identity()
			before := heap()
			m, err := Read(t.Context(), bytes.NewReader(tc.raw), int64(len(tc.raw)), []age.Identity{x}, nil)
			if err == nil || m != nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v, want …%s…", err, tc.want)
			}
			if grown := heap() - before; grown > 40<<20 {
				t.Errorf("%d MB of memory", grown>>20)
			}
		})
	}
}

// heap is how many bytes were ever allocated.
func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// Whatever bit of an archive is turned, or wherever it is cut: it is refused, or
// gives exactly what was written.
func TestRead_damaged(t *testing.T) {
	w := write(t, draft(t, odd()...))
	raw, err := os.ReadFile(w.Path())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, s := range odd() {
		want[s.Name] = s.SHA256
	}
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	accepted := 0
	for range 300 {
		bad, what := flip(raw, r.IntN(len(raw))), "flipped"
		if r.IntN(3) == 0 {
			bad, what = raw[:r.IntN(len(raw))], "cut"
		}
		m, err := Read(t.Context(), bytes.NewReader(bad), int64(len(bad)), nil, nil)
		if err != nil {
			continue
		}
		accepted++
		if what == "cut" {
			t.Errorf("cut at %d and accepted, seed %d", len(bad), seed)
		}
		for _, e := range m.Entries {
			if want[e.Name] != e.SHA256 {
				t.Errorf("%q is another, seed %d", e.Name, seed)
			}
		}
	}
	if accepted > 15 { // bits that mean nothing
		t.Errorf("%d of 300 accepted", accepted)
	}
}

func TestLoad_gives_nothing_of_a_damaged_archive(t *testing.T) {
	raw := forge(t, manifest(entry("files/a", "x"), entry("files/b", "y")), reg("files/a"), "x", reg("files/b"), "z")
	name := filepath.Join(t.TempDir(), "bad.tar.zst")
	os.WriteFile(name, raw, 0o600)
	c, err := Load(t.Context(), name, nil, func(*Manifest, Entry) bool { return true })
	var bad *DamagedError
	if c != nil || !errors.As(err, &bad) {
		t.Errorf("%v %v", c, err)
	}
}

func TestWrite_leaves_nothing_when_it_fails(t *testing.T) {
	old := write(t, draft(t, Bytes(StateName, 0o600, nil)))
	before, _ := os.ReadFile(old.Path())
	empty := func(d *Draft) {
		t.Helper()
		d.Dir = old.Dir
		w, err := Write(t.Context(), d)
		if err == nil || w != nil {
			t.Fatalf("%v %v", w, err)
		}
		list, _ := os.ReadDir(old.Dir)
		if after, _ := os.ReadFile(old.Path()); len(list) != 1 || !bytes.Equal(before, after) {
			t.Errorf("%v", list)
		}
	}
	short := Bytes(FilesFolder+"a", 0o644, []byte("x"))
	short.Size = 2 // as a file that shrank
	empty(draft(t, short))
	other := Bytes(FilesFolder+"a", 0o644, []byte("x"))
	other.SHA256 = snapshot.Sum([]byte("y"))
	empty(draft(t, other))
	gone := Bytes(FilesFolder+"a", 0o644, []byte("x"))
	gone.Open = func() (io.ReadCloser, error) { return nil, errors.New("the disk is gone") }
	empty(draft(t, gone))
	times := 0
	fickle, err := Made(StateName, 0o600, func(w io.Writer) error {
		times++
		_, err := fmt.Fprintf(w, "%d", times)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	empty(draft(t, fickle))
	zeros := make([]byte, floor+1)
	empty(draft(t, Bytes(FilesFolder+"zeros", 0o644, zeros))) // nobody would read it, as small as it gets
	stop, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Write(stop, draft(t)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	asNobody(t, func() { // somebody else's folder
		if _, err := Write(t.Context(), &Draft{Dir: old.Dir, Name: old.Name}); !errors.Is(err, fs.ErrPermission) {
			t.Error(err)
		}
	})
}

func TestSweep(t *testing.T) {
	d := draft(t, Bytes(StateName, 0o600, nil))
	os.MkdirAll(d.Dir, 0o700)
	mine, other := filepath.Join(d.Dir, partial(d.Name.Owner)+"123"), filepath.Join(d.Dir, partial("other.host.12345678")+"123")
	os.WriteFile(mine, nil, 0o600)
	os.WriteFile(other, nil, 0o600)
	write(t, d)
	if _, err := os.Stat(mine); err == nil {
		t.Error("what a killed run left is still there")
	}
	if _, err := os.Stat(other); err != nil {
		t.Error("another host's work was taken away")
	}
}

func TestCopyTo(t *testing.T) {
	d := draft(t, Bytes(StateName, 0o600, []byte("state")))
	w, err := Write(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "a", "b")
	c, err := w.CopyTo(dir)
	if err != nil {
		t.Fatal(err)
	}
	if list, _ := List(dir); len(list) != 0 {
		t.Error("it counts before it is committed")
	}
	if err := errors.Join(w.Commit(), c.Commit()); err != nil {
		t.Fatal(err)
	}
	a, _ := os.ReadFile(w.Path())
	b, _ := os.ReadFile(c.Path())
	if !bytes.Equal(a, b) || len(a) == 0 {
		t.Error("the copy is another")
	}
	w.Close()
	if _, err := os.Stat(w.Path()); err != nil {
		t.Error("Close took a committed archive")
	}
}

func TestName(t *testing.T) {
	for _, host := range []string{"web-1", "", "../../etc", "a.b.c", strings.Repeat("x", 300), "höst\n"} {
		for _, root := range []string{"/srv/shop", "/", "/srv/ä b", "/srv/-rf"} {
			n := Name{Owner: Owner(host, root), At: then, Seq: 1234567, Kind: Full, Encrypted: len(host)%2 == 0}
			got, ok := ParseName(n.String())
			if !ok || got != n || strings.ContainsAny(n.String(), "/\n ") || n.String()[0] == '-' {
				t.Errorf("%q %q: %q %+v", host, root, n.String(), got)
			}
		}
	}
	if Owner("a", "/x/shop") == Owner("a", "/y/shop") || Owner("a", "/x/shop") == Owner("b", "/x/shop") {
		t.Error("two owners of one name")
	}
	for _, s := range []string{"", ".tar.zst", "x.tar.zst", "a.b.c.20261123T120000Z.1.slim.tar.zst", "a.b.c.20261123T120000Z.000001.thin.tar.zst", "a.b.c.2026.000001.slim.tar.zst", "backup.tar.zst.age"} {
		if _, ok := ParseName(s); ok {
			t.Errorf("%q is no archive", s)
		}
	}
}

func TestKeep(t *testing.T) {
	var list []Held
	add := func(kind Kind, days ...int) {
		for _, d := range days {
			n := Name{Owner: "a.b.c", At: then.AddDate(0, 0, -d), Seq: uint64(1000 - d), Kind: kind}
			list = append(list, Held{n, n.String(), 100})
		}
	}
	add(Slim, 0, 1, 2, 3, 7, 8, 14, 40, 70, 400)
	add(Full, 0, 30, 31)
	slices.SortFunc(list, func(a, b Held) int { return b.At.Compare(a.At) })
	dropped := func(k Keep) string {
		var out []string
		for _, d := range k.Plan(list) {
			out = append(out, fmt.Sprintf("%.1s%d", d.Kind, int(then.Sub(d.At).Hours())/24))
		}
		slices.Sort(out)
		return strings.Join(out, " ")
	}
	// 23 November 2026 is a Monday: days 1 to 3 lie in the week before it, 7 is the Monday of that week, 8 and 14 are in the one before.
	for _, tc := range []struct {
		keep Keep
		want string
	}{
		{Keep{Last: 3}, "s14 s3 s40 s400 s7 s70 s8"},
		{Keep{Last: 1, Weekly: 3}, "f31 s14 s2 s3 s40 s400 s7 s70"},
		{Keep{Last: 1, Monthly: 2}, "f31 s1 s14 s2 s3 s400 s7 s70 s8"},
		{Keep{}, "f30 f31 s1 s14 s2 s3 s40 s400 s7 s70 s8"},
		{Keep{Last: 100, Bytes: 500}, "f30 f31 s14 s40 s400 s7 s70 s8"},
		{Keep{Last: 100, Bytes: 1}, "f30 f31 s1 s14 s2 s3 s40 s400 s7 s70 s8"},
		{Keep{Last: 100, Bytes: 1300}, ""},
	} {
		if got := dropped(tc.keep); got != tc.want {
			t.Errorf("%+v drops %q, want %q", tc.keep, got, tc.want)
		}
	}
}

func TestList_leaves_others_alone(t *testing.T) {
	d := draft(t, Bytes(StateName, 0o600, nil))
	w := write(t, d)
	os.WriteFile(filepath.Join(d.Dir, "notes.tar.zst"), nil, 0o600)
	os.Mkdir(filepath.Join(d.Dir, strings.Replace(w.Name.String(), "000007", "000008", 1)), 0o700)
	other := Name{Owner: Owner("web-2", "/srv/shop"), At: then, Seq: 9, Kind: Slim}
	os.WriteFile(filepath.Join(d.Dir, other.String()), nil, 0o600)
	all, err := List(d.Dir)
	if err != nil || len(all) != 2 || len(Of(d.Name.Owner, all)) != 1 {
		t.Errorf("%+v %v", all, err)
	}
	if list, err := List(filepath.Join(d.Dir, "nowhere")); list != nil || err != nil {
		t.Error(list, err)
	}
}

func FuzzRead(f *testing.F) {
	t := &testing.T{}
	f.Add(forge(t, manifest(entry("files/a", "x")), reg("files/a"), "x"))
	f.Add(forge(t, manifest(entry("files/../x", "x")), reg("files/../x"), "x"))
	f.Add([]byte("age-encryption.org/v1\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := heap()
		m, err := Read(t.Context(), bytes.NewReader(raw), int64(len(raw)), nil, func(_ *Manifest, e Entry, r io.Reader) error {
			if _, below, _ := strings.Cut(e.Name, "/"); !filepath.IsLocal(below) {
				t.Errorf("%q leads out", e.Name)
			}
			return nil
		})
		if (m == nil) == (err == nil) {
			t.Errorf("%v and %v", m, err)
		}
		if grown := heap() - before; grown > 400<<20 {
			t.Errorf("%d MB of memory", grown>>20)
		}
	})
}
