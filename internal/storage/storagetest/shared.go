package storagetest

import (
	"strconv"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

const sharedProcesses = 5

// RunShared tests that several processes can use a store at once: together they count up without losing a step, also
// when they all create the store. open and the calling test are as in RunDurable. prepare, which may be nil, puts into
// the folder what the processes need to find the store.
func RunShared(t *testing.T, prepare func(t *testing.T, dir string), open func(t *testing.T, dir string) storage.Backend) {
	rounds := soak(20, 500)
	if part, dir := role(); part == "share" {
		b := open(t, dir)
		for range rounds {
			if err := increment(t, b); err != nil {
				t.Fatal(err)
			}
		}
		say("done")
		return
	}
	dir := t.TempDir()
	if prepare != nil {
		prepare(t, dir)
	}
	children := make([]*process, sharedProcesses)
	for i := range children {
		children[i] = child(t, "share", dir)
		children[i].start(t)
	}
	for _, p := range children {
		p.passed(t)
	}
	want(t, open(t, dir), "counter", strconv.Itoa(sharedProcesses*rounds))
}
