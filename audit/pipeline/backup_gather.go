package pipeline

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"healthaudit/snapshot"
	"healthaudit/snapshot/archive"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/host"
)

// Why a file is not in an archive.
const (
	outMasked   = "a value stands in it that reports mask; an encrypted archive has it"
	outTelling  = "a secret seems to stand in it; an encrypted archive has it"
	outUnread   = "whether a secret stands in it cannot be told; an encrypted archive has it"
	outSecret   = "it may hold secrets; an encrypted archive has it"
	outUnkept   = "its bytes were not captured"
	outOutside  = "it lies outside of the project"
	outElder    = "it is never captured, and this snapshot is not of today's files"
	outPM2State = "the list of processes holds values of environment variables; an encrypted archive has it"
)

// maxDump bounds a file of a PM2 home, in bytes.
const maxDump = 64 << 20

// pm2Files are what is worth keeping of a PM2 home.
var pm2Files = []string{"dump.pm2", "dump.pm2.bak", "module_conf.json"}

// A gatherer collects what goes into one archive.
type gatherer struct {
	host   host.Host // for what is never captured; nil leaves it out
	bytes  func(sum string) ([]byte, error)
	has    func(sum string) bool
	memo   *memo
	key    []byte // of the store
	sealed bool
	keys   string // digest of the public keys, empty when it is not encrypted

	sources []archive.Source
	left    []archive.LeftOut
	isOut   map[string]bool // paths of left
}

// files adds the captured files of a snapshot.
func (g *gatherer) files(s *snapshot.Snapshot) error {
	var masked map[string]map[string]bool
	var obscure map[string]bool
	if !g.sealed {
		masked, obscure = Masked(s), unmaskable(s)
	}
	var list []snapshot.File // those whose text decides
	_ = each(s, func(f snapshot.File) error {
		switch {
		case !filepath.IsLocal(filepath.FromSlash(f.Path)):
			g.out(f.Path, outOutside)
		case f.SHA256 == "" && collect.Sensitive(f.Path):
		case f.SHA256 == "":
			g.out(f.Path, outUnkept)
		case f.Link != "":
			g.sources = append(g.sources, archive.Source{Entry: archive.Entry{Name: archive.FilesFolder + f.Path, Mode: 0o777, Size: int64(len(f.Link)), SHA256: f.SHA256, Link: f.Link}})
		case len(masked[f.Path]) > 0:
			g.out(f.Path, outMasked)
		case obscure[f.Path]:
			g.out(f.Path, outUnread)
		default:
			list = append(list, f)
		}
		return nil
	})
	verdicts := make([]verdict, len(list))
	sideBySide(len(list), func(i int) { verdicts[i] = g.judge(list[i].SHA256) })
	for i, f := range list {
		if err := verdicts[i].err; err != nil {
			return err
		}
		g.file(f, verdicts[i])
	}
	return nil
}

// unmaskable returns the files whose values would be masked, had they been
// understood: broken workflows and process files, and actions, of whose
// environment there are no facts.
func unmaskable(s *snapshot.Snapshot) map[string]bool {
	out := map[string]bool{}
	for _, it := range s.Items {
		if sys := it.System(); sys != snapshot.PM2 && sys != snapshot.Workflows || it.Path == "" || it.Kind == "app" || it.Kind == "instance" {
			continue
		}
		_, reason := it.Fact("reason")
		if it.Torn || it.Unknown != "" || it.Kind == "action" || reason {
			out[it.Path] = true
		}
	}
	return out
}

// each calls fn for every file of a snapshot, once and in order of the paths.
func each(s *snapshot.Snapshot, fn func(snapshot.File) error) error {
	all := make([]*snapshot.File, 0, len(s.Items)+len(s.Context))
	for _, it := range s.Items {
		for i := range it.Files {
			all = append(all, &it.Files[i])
		}
	}
	for i := range s.Context {
		all = append(all, &s.Context[i])
	}
	slices.SortStableFunc(all, func(a, b *snapshot.File) int { return strings.Compare(a.Path, b.Path) })
	for i, f := range all {
		if i+1 < len(all) && all[i+1].Path == f.Path { // the last one says how it is
			continue
		}
		if err := fn(*f); err != nil {
			return err
		}
	}
	return nil
}

// file adds a file, or says why it stays out.
func (g *gatherer) file(f snapshot.File, v verdict) {
	switch {
	case !v.kept:
		g.out(f.Path, outUnkept)
		return
	case v.tells && !g.sealed:
		g.out(f.Path, outTelling)
		return
	}
	g.sources = append(g.sources, archive.Source{
		Entry: archive.Entry{Name: archive.FilesFolder + f.Path, Mode: f.Mode.Perm(), Size: f.Size, SHA256: f.SHA256},
		Open: func() (io.ReadCloser, error) {
			b, err := g.bytes(f.SHA256)
			if err != nil {
				return nil, err
			}
			return io.NopCloser(bytes.NewReader(b)), nil
		}})
}

// secrets adds the files that are never captured, as they are now, or says that
// they stay out.
func (g *gatherer) secrets(s *snapshot.Snapshot) {
	for _, e := range s.Tree.All() {
		if !collect.Sensitive(e.Path) || e.Kind != snapshot.PathFile && e.Kind != snapshot.PathExec {
			continue
		}
		if why := g.apart(outSecret); why != "" {
			g.out(e.Path, why)
			continue
		}
		st, err := g.host.Stat(e.Path)
		if err == nil {
			var b []byte
			if b, err = g.host.Read(e.Path, collect.MaxFile); err == nil {
				g.sources = append(g.sources, archive.Bytes(archive.SecretsFolder+e.Path, st.Mode.Perm(), b))
			}
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			g.out(e.Path, "it could not be read: "+err.Error())
		}
	}
	n := 0
	for _, src := range s.System(snapshot.PM2).Sources {
		home, ok := strings.CutPrefix(src.Name, "daemon:")
		if !ok {
			continue
		}
		if why := g.apart(outPM2State); why != "" {
			g.out(home, why)
			continue
		}
		n++
		g.home(home, fmt.Sprintf("%s%d/", archive.PM2Folder, n))
	}
}

// apart says why what is never captured stays out, "" when it does not.
func (g *gatherer) apart(plain string) string {
	switch {
	case !g.sealed:
		return plain
	case g.host == nil:
		return outElder
	}
	return ""
}

// home adds the state of one PM2 home.
func (g *gatherer) home(path, folder string) {
	dir, err := g.host.Outside(path)
	if err != nil {
		g.out(path, "it could not be read: "+err.Error())
		return
	}
	defer dir.Close()
	g.sources = append(g.sources, archive.Bytes(folder+archive.PM2HomeName, 0o600, []byte(path)))
	for _, name := range pm2Files {
		st, err := dir.Stat(name)
		if err == nil {
			var b []byte
			if b, err = dir.Read(name, maxDump); err == nil {
				g.sources = append(g.sources, archive.Bytes(folder+name, st.Mode.Perm(), b))
			}
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			g.out(path+"/"+name, "it could not be read: "+err.Error())
		}
	}
}

// out says why a path stays out; what is said of it first stands.
func (g *gatherer) out(path, why string) {
	if g.isOut[path] {
		return
	}
	if g.isOut == nil {
		g.isOut = map[string]bool{}
	}
	g.isOut[path] = true
	g.left = append(g.left, archive.LeftOut{Path: path, Reason: why})
}

// content is a keyed digest of what goes in, for which no file is read: captured
// files, what is never captured (added before), how processes are defined, and for whom. What they are doing, and what was found, is not in it.
func (g *gatherer) content(s *snapshot.Snapshot) string {
	m := hmac.New(sha256.New, g.key)
	fmt.Fprintf(m, "keys %q\n", g.keys)
	for _, src := range g.sources {
		if !strings.HasPrefix(src.Name, archive.FilesFolder) {
			fmt.Fprintf(m, "%q %o %s\n", src.Name, src.Mode, src.SHA256)
		}
	}
	line := []byte{}
	_ = each(s, func(f snapshot.File) error {
		line = append(append(append(append(append(line[:0], f.Path...), 0), f.SHA256...), f.Link...), 0)
		line = strconv.AppendUint(line, uint64(f.Mode), 8)
		m.Write(append(line, '\n'))
		return nil
	})
	for _, it := range s.Of(snapshot.PM2) {
		if it.Kind != "app" {
			continue
		}
		for f := range definition(it) {
			line = append(append(append(append(line[:0], it.Key...), 0), f.Name...), 0)
			m.Write(append(appendValue(line, f.Value), '\n'))
		}
	}
	return hex.EncodeToString(m.Sum(nil))
}

// lacks counts the captured files of which there are no bytes any more, whether or
// not an archive would have them.
func (g *gatherer) lacks(s *snapshot.Snapshot) (n int) {
	_ = each(s, func(f snapshot.File) error {
		if f.SHA256 != "" && f.Link == "" && !g.has(f.SHA256) {
			n++
		}
		return nil
	})
	return n
}

// definition returns the facts that say how an app is started, not what it is doing.
func definition(it *snapshot.Item) iter.Seq[snapshot.Fact] {
	return func(yield func(snapshot.Fact) bool) {
		for _, f := range it.Facts.All() {
			if f.Class != snapshot.Volatile && f.Class != snapshot.Detail && !doing[f.Name] && !yield(f) {
				return
			}
		}
	}
}

// doing are facts of an app that change without anybody changing it.
var doing = map[string]bool{"processes": true, "in-dump": true, "exit_code": true, "ghost": true}
