package pipeline

import (
	"encoding/binary"
	"encoding/hex"
	"io/fs"
	"sync"

	"healthaudit/snapshot"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/host"
	"healthaudit/snapshot/store"
)

// memo is the analysis cache during a run: read from the store as it was, new
// results kept until the commit.
type memo struct {
	tx    *store.Tx // nil on a first run
	mu    sync.Mutex
	fresh map[string]made
}

// A made is what was derived, and the digests it was made of.
type made struct {
	value []byte
	of    []string
}

var (
	_ snapshot.Memo    = (*memo)(nil)
	_ snapshot.Origins = (*memo)(nil)
)

func (m *memo) Get(key string) []byte {
	if m.tx == nil {
		return nil
	}
	return m.tx.Cache(key)
}

func (m *memo) Put(key string, value []byte) { m.PutFrom(key, nil, value) }

func (m *memo) PutFrom(key string, inputs []string, value []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fresh[key] = made{value, inputs}
}

// take returns what is fresh, and forgets it.
func (m *memo) take() map[string]made {
	m.mu.Lock()
	defer m.mu.Unlock()
	fresh := m.fresh
	m.fresh = map[string]made{}
	return fresh
}

const stampSize = 4 + 8*4 + 4 + 32

// encodeStamp packs a stamp: mode, size, mtime, ctime, inode, uid, digest, and one
// byte more when it waives.
func encodeStamp(s collect.Stamp) []byte {
	b := make([]byte, 0, stampSize)
	b = binary.BigEndian.AppendUint32(b, uint32(s.Stat.Mode))
	for _, v := range []uint64{uint64(s.Stat.Size), uint64(s.Stat.MTime), uint64(s.Stat.CTime), s.Stat.Inode} {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	b = binary.BigEndian.AppendUint32(b, s.Stat.UID)
	sum, _ := hex.DecodeString(s.SHA256)
	if b = append(b, sum...); s.Waives {
		b = append(b, 1)
	}
	return b
}

func decodeStamp(b []byte) (collect.Stamp, bool) {
	waives := len(b) == stampSize+1
	if len(b) != stampSize && !waives {
		return collect.Stamp{}, false
	}
	u := func(i int) uint64 { return binary.BigEndian.Uint64(b[i:]) }
	return collect.Stamp{
		Stat: host.Stat{
			Mode: fs.FileMode(binary.BigEndian.Uint32(b)), Size: int64(u(4)), MTime: int64(u(12)),
			CTime: int64(u(20)), Inode: u(28), UID: binary.BigEndian.Uint32(b[36:]),
		},
		SHA256: hex.EncodeToString(b[40:stampSize]),
		Waives: waives,
	}, true
}
