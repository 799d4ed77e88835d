package function

import (
	"io"

	"healthaudit/snapshot/analyze/netlify"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/host"
)

// programs returns what tells the runtime of a file that may be a ready program.
// Only its headers are read.
func programs(s *collect.Session) func(file string) string {
	return func(file string) string {
		files, err := s.Host.Outside(s.Host.Root())
		if err != nil {
			return ""
		}
		defer files.Close()
		if magic, err := files.Tail(file, 0, 4); err != nil || string(magic) != "\x7fELF" {
			return ""
		}
		return netlify.Binary(ranged{files, file})
	}
}

// ranged reads pieces of a file.
type ranged struct {
	files host.Files
	file  string
}

func (r ranged) ReadAt(b []byte, offset int64) (int, error) {
	got, err := r.files.Tail(r.file, offset, int64(len(b)))
	n := copy(b, got)
	if err == nil && n < len(b) {
		err = io.EOF
	}
	return n, err
}
