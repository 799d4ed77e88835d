package archive

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// What is read while it is written is what is written, to the end and no further.
func TestBack(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := newBack(f)
	got := make(chan []byte)
	go func() {
		all, err := io.ReadAll(b)
		if err != nil {
			t.Error(err)
		}
		got <- all
	}()
	var want []byte
	for i := range 300 {
		chunk := bytes.Repeat([]byte{byte(i)}, i*7)
		want = append(want, chunk...)
		if n, err := b.Write(chunk); n != len(chunk) || err != nil {
			t.Fatal(n, err)
		}
	}
	b.end(nil)
	if !bytes.Equal(<-got, want) {
		t.Error("other bytes")
	}
}

// A reader that waits is told of what went wrong with the writer.
func TestBack_of_a_writer_that_fails(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, full := newBack(f), errors.New("the disk is full")
	got := make(chan error)
	go func() {
		_, err := io.ReadAll(b)
		got <- err
	}()
	b.Write([]byte("x"))
	b.end(full)
	if err := <-got; !errors.Is(err, full) {
		t.Error(err)
	}
}
