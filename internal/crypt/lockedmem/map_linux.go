package lockedmem

import "golang.org/x/sys/unix"

// excludeFromDumps keeps the memory out of core dumps and out of forked children. Kernels that know neither still have
// the process's own core limit.
func excludeFromDumps(b []byte) {
	_ = unix.Madvise(b, unix.MADV_DONTDUMP)
	_ = unix.Madvise(b, unix.MADV_DONTFORK)
}
