package archive

import (
	"bytes"
	"fmt"
	"io"
	"testing"
)

// What is made for an archive is in it whole, also where it is larger than what is
// handed on at once.
func TestMade(t *testing.T) {
	var want bytes.Buffer
	many := func(w io.Writer) error {
		for i := range made / 4 {
			if _, err := fmt.Fprintf(w, "line %d\n", i); err != nil {
				return err
			}
		}
		return nil
	}
	many(&want)
	state, err := Made(StateName, 0o600, many)
	if err != nil {
		t.Fatal(err)
	}
	p := write(t, draft(t, state))
	var got []byte
	_, err = ReadFile(t.Context(), p.Path(), nil, func(_ *Manifest, e Entry, r io.Reader) (err error) {
		if e.Name == StateName {
			got, err = io.ReadAll(r)
		}
		return err
	})
	if err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Errorf("%d bytes, not %d: %v", len(got), want.Len(), err)
	}
}
