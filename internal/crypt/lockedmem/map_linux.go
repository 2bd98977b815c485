package lockedmem

import "golang.org/x/sys/unix"

// excludeFromDumps keeps the memory out of core dumps and out of forked children. It is advice: a kernel that knows
// neither refuses it, and the memory works all the same.
func excludeFromDumps(b []byte) {
	_ = unix.Madvise(b, unix.MADV_DONTDUMP)
	_ = unix.Madvise(b, unix.MADV_DONTFORK)
}
