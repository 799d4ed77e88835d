package store

import (
	"bytes"
	"errors"
)

// differences drops the versions and headers that are differences from what is lost.
func (m *mender) differences() error {
	v := &verifier{tx: m.tx}
	for _, b := range []bucket{bVer, bSnap} {
		var bad [][]byte
		err := m.tx.walk(b, nil, nil, func(key, value []byte) (bool, error) {
			var err error
			if b == bVer {
				_, err = v.decoded(b, key, value)
			} else {
				_, err = m.tx.decodeHeader(numberAt(key), value)
			}
			if err != nil {
				m.add(b, key, plain(err))
				bad = append(bad, bytes.Clone(key))
			}
			return true, nil
		})
		if err := errors.Join(err, m.drop(b, bad)); err != nil {
			return err
		}
	}
	return nil
}
