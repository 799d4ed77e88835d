//go:build !unix

package archive

import "io/fs"

// ownerOf returns whose a file is; ok only where this process may give files away.
func ownerOf(fs.FileInfo) (uid, gid int, ok bool) { return 0, 0, false }
