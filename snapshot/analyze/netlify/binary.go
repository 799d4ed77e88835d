package netlify

import (
	"bytes"
	"debug/elf"
	"io"
)

// Rust is the runtime of a program that was built of Rust.
const Rust = "rs"

// Binary returns the runtime of a ready program: Go or Rust, built for Linux on
// amd64; "" for anything else, which is no function.
// Source: @netlify/binary-info, measured.
func Binary(r io.ReaderAt) (runtime string) {
	defer func() {
		if recover() != nil { // the reader of the format is not ours and the file is anybody's
			runtime = ""
		}
	}()
	f, err := elf.NewFile(r)
	if err != nil || f.Machine != elf.EM_X86_64 || f.Type != elf.ET_EXEC && f.Type != elf.ET_DYN {
		return ""
	}
	if f.Section(".go.buildinfo") != nil || f.Section(".note.go.buildid") != nil {
		return Go
	}
	if c := f.Section(".comment"); c != nil && c.Size < 1<<16 {
		if b, err := c.Data(); err == nil && bytes.Contains(b, []byte("rustc version")) {
			return Rust
		}
	}
	symbols, err := f.Symbols()
	if err != nil {
		return ""
	}
	for _, s := range symbols {
		if s.Name == "rust_eh_personality" || s.Name == "rust_panic" {
			return Rust
		}
	}
	return ""
}
