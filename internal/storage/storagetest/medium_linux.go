package storagetest

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

func runDisk(t *testing.T, f Files) {
	t.Run("DiskFull", func(t *testing.T) { t.Parallel(); testDiskFull(t, f) })
}

// testDiskFull has a child fill a disk of 64 MiB, which only that child sees: a mount in a namespace of its own.
func testDiskFull(t *testing.T, f Files) {
	p := child(t, "disk", t.TempDir())
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		p.cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		p.cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		p.cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	p.start(t)
	p.passed(t)
}

func mountDisk(t *testing.T, dir string, flags uintptr, mib int) {
	t.Helper()
	if err := unix.Mount("tmpfs", dir, "tmpfs", flags, fmt.Sprintf("size=%dm", mib)); err != nil {
		t.Fatalf("mounting a small disk: %v", err)
	}
}

func diskChild(t *testing.T, f Files, dir string) {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		t.Fatalf("keeping mounts to ourselves: %v", err)
	}
	mountDisk(t, dir, 0, 64)
	stored := filled(t, f, dir)
	b, err := f.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	fillDisk(t, b, dir, stored)
	if err := readBack(t, b, stored); err != nil {
		t.Fatalf("reading from a full disk: %v", err)
	}
	mountDisk(t, dir, unix.MS_REMOUNT, 256)
	put(t, b, "more", "room")
	stored["more"] = "room"
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if err := openAndRead(t, f, dir, stored); err != nil {
		t.Fatalf("after the disk was full: %v", err)
	}
}

// fillDisk stores values until that fails, and a few times more, in transactions that change an older entry as well.
func fillDisk(t *testing.T, b storage.Backend, dir string, stored map[string]string) {
	t.Helper()
	failures := 0
	for i := 0; failures < 5; i++ {
		key, number, value := fmt.Sprintf("big/%03d", i), fmt.Sprint(i), string(noise(1<<20-i))
		err := tryPut(t.Context(), b, "entry/000", number, key, value)
		switch {
		case err == nil:
			stored["entry/000"], stored[key] = number, value
		default:
			wantError(t, err, storage.ErrFull, dir)
			failures++
		}
		if i > 100 {
			t.Fatalf("100 MiB went onto a disk of 64")
		}
	}
	if _, ok := stored["big/003"]; !ok {
		t.Fatal("not even 4 MiB went onto a disk of 64")
	}
}

func readBack(t *testing.T, b storage.Backend, stored map[string]string) error {
	all, err := dump(t.Context(), b)
	if err != nil {
		return err
	}
	if len(all) != len(stored) {
		return fmt.Errorf("%d entries, want %d", len(all), len(stored))
	}
	for key, value := range stored {
		if all[key] != value {
			return errors.New(key + " has changed")
		}
	}
	return nil
}
