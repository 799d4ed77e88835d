package pipeline

import (
	"errors"

	"healthaudit/snapshot/store"
)

// A verdict is whether bytes are kept, and whether a secret seems to stand in them.
type verdict struct {
	kept, tells bool
	err         error
}

// judge finds that out for the bytes of a digest. What is looked for in them is
// looked for once and remembered.
func (g *gatherer) judge(sum string) verdict {
	key := tellsKey + sum
	if v := g.memo.Get(key); len(v) == 1 && g.has(sum) {
		return verdict{kept: true, tells: v[0] == 1}
	}
	b, err := g.bytes(sum)
	var none errNoBytes
	if errors.Is(err, store.ErrNoBlob) || errors.As(err, &none) {
		return verdict{}
	}
	if err != nil {
		return verdict{err: err}
	}
	said := []byte{0}
	tells := tellsSecret(b)
	if tells {
		said[0] = 1
	}
	g.memo.PutFrom(key, []string{sum}, said)
	return verdict{kept: true, tells: tells}
}

// tellsKey begins the keys of what is remembered of tellsSecret; its number is
// raised when that finds other things than before.
const tellsKey = "archive.tells/1/"
