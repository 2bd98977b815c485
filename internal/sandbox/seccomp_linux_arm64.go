package sandbox

import "golang.org/x/sys/unix"

const nativeArch = unix.AUDIT_ARCH_AARCH64

// refusedHere lists what only this processor has.
var refusedHere []uint32
