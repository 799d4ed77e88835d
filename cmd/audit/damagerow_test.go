package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"
)

// damageRows changes one bit of the check of every row whose key is meant.
func damageRows(path, bucket string, meant func(key []byte) bool) (n int, err error) {
	db, err := bolt.Open(path, 0o600, &bolt.Options{NoSync: true, Timeout: time.Second})
	if err != nil {
		return 0, err
	}
	defer db.Close()
	return n, db.Update(func(tx *bolt.Tx) error {
		c := tx.Bucket([]byte(bucket)).Cursor()
		for k, row := c.First(); k != nil; k, row = c.Next() {
			if !meant(k) {
				continue
			}
			n++
			other := bytes.Clone(row)
			other[0] ^= 1
			if err := c.Bucket().Put(bytes.Clone(k), other); err != nil {
				return err
			}
		}
		return nil
	})
}

// damageRowStandIn is the command damagerow FILE BUCKET TEXT|#NUMBER of scripts.
func damageRowStandIn() {
	meant := func(k []byte) bool { return bytes.Contains(k, []byte(os.Args[3])) }
	if text, ok := strings.CutPrefix(os.Args[3], "#"); ok {
		n, _ := strconv.ParseUint(text, 10, 64)
		meant = func(k []byte) bool { return bytes.Equal(k, binary.BigEndian.AppendUint64(nil, n)) }
	}
	n, err := damageRows(os.Args[1], os.Args[2], meant)
	if err != nil || n == 0 {
		fmt.Fprintln(os.Stderr, "damagerow:", n, "rows", err)
		os.Exit(1)
	}
}
