package lockedmem_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/ArcadeLabsInc/zvault/internal/crypt/lockedmem"
)

// What the kernel says of the memory: dd is left out of dumps, dc is not copied on fork, lo is locked.
func TestAlloc_Flags(t *testing.T) {
	b, err := lockedmem.Alloc(os.Getpagesize())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Destroy()
	flags := flagsOf(t, &b.Bytes()[0])
	for _, want := range []string{"dd", "dc"} {
		if !strings.Contains(flags, " "+want+" ") {
			t.Errorf("flags %q lack %q", flags, want)
		}
	}
	if locked := strings.Contains(flags, " lo "); locked != b.Locked() {
		t.Errorf("Locked says %t, flags are %q", b.Locked(), flags)
	}
}

// Where the system refuses to lock, the memory works and says that it is not locked.
func TestAlloc_LockRefused(t *testing.T) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine, and with it what it gave up
		refuseLocks(t)
		b, err := lockedmem.Alloc(os.Getpagesize())
		if err != nil {
			t.Error(err)
			return
		}
		defer b.Destroy()
		if b.Locked() {
			t.Error("Locked is true where locking is not allowed")
		}
		copy(b.Bytes(), "works")
	}()
	<-done
}

// refuseLocks takes the right to lock memory from this thread, and the limit from the process until the test ends.
func refuseLocks(t *testing.T) {
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_MEMLOCK, &old); err != nil {
		t.Error(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_MEMLOCK, &unix.Rlimit{Cur: 0, Max: old.Max}); err != nil {
		t.Error(err)
	}
	t.Cleanup(func() {
		if err := unix.Setrlimit(unix.RLIMIT_MEMLOCK, &old); err != nil {
			t.Error(err)
		}
	})
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		t.Error(err)
	}
	data[0].Effective &^= 1 << unix.CAP_IPC_LOCK
	if err := unix.Capset(&header, &data[0]); err != nil {
		t.Error(err)
	}
}

// flagsOf returns the kernel's flags of the mapping that an address lies in, each between blanks.
func flagsOf(t *testing.T, at *byte) string {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	inside := false
	for line := range strings.Lines(string(maps)) {
		var from, to uintptr
		if n, err := fmt.Sscanf(line, "%x-%x ", &from, &to); err == nil && n == 2 {
			a := uintptr(unsafe.Pointer(at))
			inside = from <= a && a < to
		}
		if flags, ok := strings.CutPrefix(line, "VmFlags:"); ok && inside {
			return " " + strings.TrimSpace(flags) + " "
		}
	}
	t.Fatal("the kernel tells no flags of the mapping")
	return ""
}
