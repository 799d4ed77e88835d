package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A Kind says how much an archive holds.
type Kind string

const (
	Full Kind = "full" // the whole store
	Slim Kind = "slim" // the files and the state of one snapshot
)

// A Name is what the name of an archive's file says of it, so that a folder of
// encrypted archives can be listed and thinned out without any key.
type Name struct {
	Owner     string    // see Owner
	At        time.Time // of the snapshot, to the second, UTC
	Seq       uint64    // number of the snapshot
	Kind      Kind
	Encrypted bool
}

const (
	plainSuffix  = ".tar.zst"
	sealedSuffix = plainSuffix + ".age"
	nameTime     = "20060102T150405Z"
)

// Owner names who makes archives: the host, the project's folder, and a digest
// of both in full, so that several may share one folder. Two parts and eight
// hex digits, separated by dots.
func Owner(host, root string) string {
	sum := sha256.Sum256([]byte(host + "\x00" + root))
	return word(host, "host") + "." + word(filepath.Base(root), "project") + "." + hex.EncodeToString(sum[:4])
}

// word makes a text part of a file name: at most 40 letters, digits, - and _.
func word(s, empty string) string {
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return '-'
	}, s)
	s = strings.TrimLeft(s, "-")
	if s == "" {
		return empty
	}
	return s[:min(len(s), 40)]
}

// String returns the name of the file.
func (n Name) String() string {
	suffix := plainSuffix
	if n.Encrypted {
		suffix = sealedSuffix
	}
	return fmt.Sprintf("%s.%s.%06d.%s%s", n.Owner, n.At.UTC().Format(nameTime), n.Seq, n.Kind, suffix)
}

// ParseName reads the name of a file; false for what is none of an archive.
func ParseName(file string) (n Name, ok bool) {
	base, sealed := strings.CutSuffix(file, sealedSuffix)
	if !sealed {
		if base, ok = strings.CutSuffix(file, plainSuffix); !ok {
			return n, false
		}
	}
	part := strings.Split(base, ".")
	if len(part) != 6 {
		return n, false
	}
	at, err := time.Parse(nameTime, part[3])
	seq, err2 := strconv.ParseUint(part[4], 10, 64)
	n = Name{Owner: strings.Join(part[:3], "."), At: at, Seq: seq, Kind: Kind(part[5]), Encrypted: sealed}
	return n, err == nil && err2 == nil && (n.Kind == Full || n.Kind == Slim) && n.String() == file
}
