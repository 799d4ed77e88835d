package host

import "syscall"

// Space reads statfs(2). Free is what a user who is not root may still write.
func (f *files) Space() (Space, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(f.dir, &st); err != nil {
		return Space{}, err
	}
	block := int64(st.Bsize)
	return Space{Free: int64(st.Bavail) * block, Size: int64(st.Blocks) * block}, nil
}
