package report

import (
	"time"
)

// The values below are what the listing commands show: cmd fills them, the
// function of the same name writes them for a person, WriteJSON for a machine.

// A SnapshotRef names a snapshot: its number, its ULID and when it was made.
type SnapshotRef struct {
	Seq uint64    `json:"seq"`
	ID  string    `json:"id"`
	At  time.Time `json:"at"`
}

// A SnapshotRow is one line of audit list.
type SnapshotRow struct {
	Seq         uint64    `json:"seq"`
	ID          string    `json:"id"`
	At          time.Time `json:"at"`
	Score       *float64  `json:"score"` // null when nothing was judged
	Grade       *string   `json:"grade"`
	Items       int       `json:"items"`
	Findings    Counts    `json:"findings"` // open ones
	Regressions int       `json:"regressions"`
	Passed      bool      `json:"passed"` // the gate
	Exit        int       `json:"exit"`
	Flags       []string  `json:"flags"`  // in a word each: partial, filtered, baseline, pinned
	Commit      string    `json:"commit"` // of git; empty without
	Delta       *float64  `json:"delta"`  // of the score to the run before; null when not comparable
}

// A DiffView is what changed between two snapshots.
type DiffView struct {
	Old         SnapshotRef   `json:"old"`
	New         SnapshotRef   `json:"new"`
	Changes     []Change      `json:"changes"` // sorted by item
	NotCompared []NotCompared `json:"not_compared"`
	Patches     []Patch       `json:"patches"` // with --patch only
	Ignored     int           `json:"ignored"` // changes of facts that are not shown
	IgnoreRules int           `json:"ignore_rules"`
}

// NotCompared says why a system of a diff has no changes to show.
type NotCompared struct {
	System string `json:"system"`
	Reason string `json:"reason"`
}

// A Patch is the text diff of one file, unified format.
type Patch struct {
	Path string `json:"path"`
	Text string `json:"text"`
}

// A HistoryView is one item over time.
type HistoryView struct {
	Item    string         `json:"item"`
	System  string         `json:"system"`
	Name    string         `json:"name"`
	Path    string         `json:"path"`
	Now     *Neighbours    `json:"now"`     // in the latest snapshot; null when the item is gone
	Entries []HistoryEntry `json:"entries"` // newest first
	Scores  []Point        `json:"scores"`  // of the newest snapshots, oldest first
	Metrics []Line         `json:"metrics"` // by name, in the same snapshots
}

// Neighbours are the items on both sides of one, by key and sorted.
type Neighbours struct {
	StartedBy  []string `json:"started_by"`   // starts or loads it, directly
	SetGoingBy []string `json:"set_going_by"` // what acts without a person and comes to it through others: workflows, apps, functions, crontab entries, units
	Starts     []string `json:"starts"`
	Missing    []string `json:"missing"` // what it starts and is not there, by name
}

// A HistoryEntry is what one snapshot says of the item.
type HistoryEntry struct {
	Seq    uint64         `json:"seq"`
	ID     string         `json:"id"`
	At     time.Time      `json:"at"`
	Commit string         `json:"commit"`
	State  string         `json:"state"`
	Level  string         `json:"level"`
	Score  *float64       `json:"score"`
	Op     string         `json:"op"` // added, changed, removed, rebased; empty: as before
	Facts  []FactChange   `json:"facts"`
	Files  []string       `json:"files"` // own files whose bytes or mode differ, also where nothing else does
	Opened []FindingShort `json:"opened"`
	Closed []FindingShort `json:"closed"`
	Waived []FindingShort `json:"waived"` // accepted from then on
	Counts []FindingShort `json:"counts"` // no longer accepted
}

// A FindingShort is a finding in a history.
type FindingShort struct {
	ID       string `json:"id"`
	Check    string `json:"check"`
	Severity string `json:"severity"`
	Title    string `json:"title"`
	Message  string `json:"message"`
	Item     string `json:"item"`
}

// A JournalRow is one entry of the journal.
type JournalRow struct {
	Seq    uint64    `json:"seq"`
	At     time.Time `json:"at"`
	Run    string    `json:"run"`    // ULID of the run it belongs to; empty outside one
	Actor  string    `json:"actor"`  // who: "root via cron"
	Action string    `json:"action"` // what: run, restore, accept, prune …
	Item   string    `json:"item"`   // on what; empty: on the store as a whole
	Result string    `json:"result"` // done, failed, planned …
	Detail string    `json:"detail"`
	Hash   string    `json:"hash"` // of the entry, lower-case hex
}

// A CheckRow is one line of audit check list.
type CheckRow struct {
	ID       string `json:"id"`
	System   string `json:"system"` // empty: across systems
	Severity string `json:"severity"`
	Title    string `json:"title"`
}

// A CheckDoc is everything a check says of itself.
type CheckDoc struct {
	ID            string     `json:"id"`
	System        string     `json:"system"`
	Title         string     `json:"title"`
	Severity      string     `json:"severity"`
	Confidence    string     `json:"confidence"`
	Doc           string     `json:"doc"`
	Hint          string     `json:"hint"`
	Discriminator string     `json:"discriminator"`
	Source        string     `json:"source"`
	Limits        []LimitDoc `json:"limits"`
	Bad           string     `json:"bad"`  // an example that it finds; may have many lines
	Good          string     `json:"good"` // the same without the wound
}

// A LimitDoc is one threshold of a check.
type LimitDoc struct {
	Name    string  `json:"name"`
	Default float64 `json:"default"`
	Unit    string  `json:"unit"`
	Doc     string  `json:"doc"`
}

// A StatsView is what the store holds. Sizes are bytes.
type StatsView struct {
	Path       string       `json:"path"`
	FileBytes  int64        `json:"file_bytes"`
	InUseBytes int64        `json:"in_use_bytes"`
	Snapshots  int          `json:"snapshots"`
	Items      int          `json:"items"` // of the latest snapshot
	Blobs      int          `json:"blobs"`
	BlobBytes  int64        `json:"blob_bytes"` // as stored, compressed
	Journal    int          `json:"journal"`    // entries
	Oldest     *SnapshotRef `json:"oldest"`     // null in an empty store
	Newest     *SnapshotRef `json:"newest"`
	CacheBytes int64        `json:"cache_bytes"` // of analyses, which can be made again
}

// An ArchiveView is an archive that was made.
type ArchiveView struct {
	Archive
	Kind     string      `json:"kind"` // full, slim
	Snapshot SnapshotRef `json:"snapshot"`
	Copy     string      `json:"copy"`     // path of the second copy; empty without
	LeftOut  []LeftOut   `json:"left_out"` // sorted by path
	Removed  []string    `json:"removed"`  // older ones that archive.keep lets go of
}

// A LeftOut is something that was not taken along, and why.
type LeftOut struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

// An ArchiveRow is one line of audit archive list, or of audit archive verify.
type ArchiveRow struct {
	Path      string    `json:"path"`
	Host      string    `json:"host"` // who made it: host, project and digest
	Own       bool      `json:"own"`  // this project of this host did
	At        time.Time `json:"at"`   // of its snapshot
	Seq       uint64    `json:"seq"`
	Kind      string    `json:"kind"`
	Encrypted bool      `json:"encrypted"`
	Bytes     int64     `json:"bytes"`
	Result    string    `json:"result,omitempty"` // of a verification: sound, as written, not opened, damaged
	Detail    string    `json:"detail,omitempty"`
}

// An ImportView is a store that was made of archives.
type ImportView struct {
	Store     string       `json:"store"`
	Kind      string       `json:"kind"`
	From      []string     `json:"from"`
	Skipped   []LeftOut    `json:"skipped"`
	Snapshots int          `json:"snapshots"`
	Newest    *SnapshotRef `json:"newest"`
	Aside     string       `json:"aside"` // where the damaged store went; empty without
}

// A DrillView is what came of bringing an archive back for a try.
type DrillView struct {
	Path        string      `json:"path"`
	Snapshot    SnapshotRef `json:"snapshot"`
	Passed      bool        `json:"passed"`
	Files       int         `json:"files"`    // brought back, byte for byte
	Items       int         `json:"items"`    // found again when the files were audited
	LeftOut     int         `json:"left_out"` // files that the archive does not hold
	Differences []LeftOut   `json:"differences"`
}

// A RestoreView is what a restore did, or would do.
type RestoreView struct {
	Snapshot    SnapshotRef   `json:"snapshot"`
	Target      string        `json:"target"`       // folder the files went to
	TargetGiven bool          `json:"target_given"` // it was named, and is not the project's root
	DryRun      bool          `json:"dry_run"`
	Files       []RestoreFile `json:"files"`   // sorted by path
	Archive     string        `json:"archive"` // the bytes came from; empty: from the store
	Undo        uint64        `json:"undo"`    // number that audit restore --undo takes; 0: nothing to undo
	Undone      uint64        `json:"undone"`  // number of the restore that this one undoes; 0: none

	Processes []RestoreProcess `json:"processes"` // sorted by item
}

// A RestoreProcess is how a process was defined, for a person to apply.
type RestoreProcess struct {
	Item       string            `json:"item"`
	File       string            `json:"file"` // that declares it; empty: none did
	Definition map[string]string `json:"definition"`
	Differs    []string          `json:"differs"` // names of what is another in the latest snapshot
	Next       string            `json:"next"`    // what to do with it
}

// A RestoreFile is one file of a restore.
type RestoreFile struct {
	Path   string `json:"path"`
	Item   string `json:"item"`
	Action string `json:"action"` // written, unchanged, kept, missing, failed
	Reason string `json:"reason"` // why kept, missing or failed
	Bytes  int64  `json:"bytes"`
	From   string `json:"from,omitempty"`  // the snapshot it is of, with --last-good
	Patch  string `json:"patch,omitempty"` // of a dry run: what would change, secrets masked
}
