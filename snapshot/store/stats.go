package store

// Stats are the sizes of a store. Bytes are bytes of the file.
type Stats struct {
	FileBytes  int64  // up to the last page in use
	InUseBytes int64  // really used within live pages
	Snapshots  int    // kept
	Items      int    // current ids of the table "item"
	Blobs      int    // kept
	BlobBytes  int64  // used by blobs
	CacheBytes int64  // used by the analysis cache
	Journal    uint64 // number of the newest entry
}

// Stats measures the store; it reads every page's header.
func (tx *Tx) Stats() (st Stats, err error) {
	defer guard(tx.s.path, &err)()
	if tx.ended.Load() {
		return st, errEnded
	}
	for b := range buckets {
		if err := tx.s.whole(b); err != nil {
			return st, err
		}
	}
	all := tx.tx.Cursor().Bucket().Stats()
	blobs := tx.b[bBlob].Stats()
	cache := tx.b[bCache].Stats()
	st = Stats{
		FileBytes:  tx.tx.Size(),
		InUseBytes: int64(all.LeafInuse + all.BranchInuse),
		Snapshots:  tx.b[bSnap].Stats().KeyN,
		Blobs:      blobs.KeyN,
		BlobBytes:  int64(blobs.LeafInuse + blobs.BranchInuse + blobs.InlineBucketInuse),
		CacheBytes: int64(cache.LeafInuse + cache.BranchInuse + cache.InlineBucketInuse),
	}
	if st.Journal, err = tx.lastN(bJournal); err != nil {
		return st, err
	}
	st.Items, err = tx.Table("item").count()
	return st, err
}

// Stats measures the store; see Tx.Stats.
func (s *Store) Stats() (st Stats, err error) {
	err = s.View(func(tx *Tx) error {
		st, err = tx.Stats()
		return err
	})
	return st, err
}
