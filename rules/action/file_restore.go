package action

import (
	"errors"
	"fmt"
	"io/fs"

	"healthaudit/rules"
	"healthaudit/snapshot"
)

// FileRestore writes the last good version of an item's own file back.
var FileRestore = &rules.Action{
	ID:      "file.restore",
	Title:   "bring the last good version of a file back",
	Systems: snapshot.Systems,
	Class:   rules.Idempotent,
	Doc: "The last good version is the newest stored one that was judged and with which no check found anything that counts of high severity or worse, nor anything as bad as now. " +
		"What is committed is never written: a commit is a decision. Of a file that git tracks, only an uncommitted change is " +
		"undone, and only when the last commit holds the last good version. It is refused while the file is staged, was changed in the last ten " +
		"minutes, is a link or lies behind one, and while a merge, rebase or bisect is under way. Only the item's own file is " +
		"written, never a file that several items share.",
	Params: []rules.Param{{Name: "from", Doc: "which version", Values: []string{"last_good"}, Default: "last_good"}},
	Prepare: func(p *rules.Preparation) (rules.Effect, error) {
		it := p.Item
		now, ok := it.OwnFile()
		switch {
		case it.Path == "" || ok && now.Role == snapshot.Shared:
			return rules.Effect{}, &rules.Refusal{Why: "it has no file of its own", Hint: "audit restore brings the file back that declares it"}
		case ok && now.Link != "":
			return rules.Effect{}, &rules.Refusal{Why: it.Path + " is a symbolic link"}
		}
		good, seq, err := p.Sources.LastGood(it, p.Worst)
		if errors.Is(err, fs.ErrNotExist) {
			return rules.Effect{}, &rules.Refusal{Why: "no good version of " + it.Path + " was ever seen", Hint: "audit history " + string(it.Key) + " shows every version"}
		}
		if err != nil {
			return rules.Effect{}, err
		}
		e := rules.Effect{Target: "file " + it.Path, What: fmt.Sprintf("write %s as it was in snapshot #%d", it.Path, seq), From: seq,
			Writes: []rules.Write{{Path: it.Path, Was: now.SHA256, Sum: good.SHA256, Mode: good.Mode.Perm(), Old: now.Mode.Perm()}}}
		return e, p.Sources.Free(it.Path, now.SHA256, good.SHA256)
	},
}
