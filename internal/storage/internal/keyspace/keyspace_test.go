package keyspace_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/storage/internal/keyspace"
)

func TestEnd(t *testing.T) {
	t.Parallel()
	for prefix, want := range map[string]string{
		"a": "b", "a/": "a0", "az": "a{", "\x00": "\x01", "a\xff": "b", "a\xff\xff": "b", "\xfe\xff": "\xff", "\u00e9": "\u00ea",
	} {
		if got, ok := keyspace.End(prefix); !ok || got != want {
			t.Errorf("End(%q) = %q, %v; want %q", prefix, got, ok, want)
		}
	}
	for _, prefix := range []string{"", "\xff", "\xff\xff"} {
		if got, ok := keyspace.End(prefix); ok {
			t.Errorf("End(%q) = %q, want none", prefix, got)
		}
	}
}

func TestMessagesAreShort(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("k", 100_000)
	for _, err := range []error{
		keyspace.Check(long + "\x00"),
		keyspace.CheckEntry(long, nil),
		keyspace.CheckEntry("k", make([]byte, storage.MaxValue+1)),
	} {
		if err == nil || len(err.Error()) > 200 {
			t.Errorf("error of %d bytes", len(fmt.Sprint(err)))
		}
	}
}

// TestListCost counts what List reads: the leaps must spare it a folder's inside.
func TestListCost(t *testing.T) {
	t.Parallel()
	var keys []string
	for folder := range 3 {
		for i := range 100_000 {
			keys = append(keys, fmt.Sprintf("f/%d/%06d", folder, i))
		}
	}
	read := 0
	names, err := keyspace.List("f/", "", 0, func(from string, limit int) ([]string, error) {
		page := pageOf(keys, from, limit)
		read += len(page)
		return page, nil
	})
	if diff := cmp.Diff([]string{"0/", "1/", "2/"}, names); err != nil || diff != "" {
		t.Fatalf("%v (-want +got):\n%s", err, diff)
	}
	if read > 100 {
		t.Errorf("read %d keys to list 3 folders", read)
	}
}

func TestListError(t *testing.T) {
	t.Parallel()
	mine := errors.New("mine")
	_, err := keyspace.List("", "", 0, func(string, int) ([]string, error) { return nil, mine })
	if !errors.Is(err, mine) {
		t.Errorf("List = %v, want the error of the keys", err)
	}
}

func pageOf(keys []string, from string, limit int) []string {
	i, _ := slices.BinarySearch(keys, from)
	return keys[i:min(i+limit, len(keys))]
}

// FuzzList compares List with reading everything, for keys separated by NUL.
func FuzzList(f *testing.F) {
	f.Add("a/1\x00a/2\x00b\x00b/c", "", "", 0)
	f.Add("a/b\x00a/b/c\x00a/b/d\x00a/c", "a/", "b", 2)
	f.Add("\u00e9/\x00\u00e9/x\x00//\x00\U0010ffff/\U0010ffff", "\u00e9/", "", 1)
	f.Add(strings.Repeat("a\x00a/", 40), "a/", "a", 3)
	f.Fuzz(func(t *testing.T, joined, prefix, after string, limit int) {
		if limit < 0 || !utf8.ValidString(joined) {
			return
		}
		keys := slices.DeleteFunc(strings.Split(joined, "\x00"), func(key string) bool { return key == "" })
		slices.Sort(keys)
		keys = slices.Compact(keys)
		got, err := keyspace.List(prefix, after, limit, func(from string, limit int) ([]string, error) {
			return pageOf(keys, from, limit), nil
		})
		if prefix != "" && !strings.HasSuffix(prefix, "/") {
			if !errors.Is(err, storage.ErrInvalidKey) {
				t.Fatalf("prefix %q: %v", prefix, err)
			}
			return
		}
		if diff := cmp.Diff(naive(keys, prefix, after, limit), got, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Fatalf("List(%q, %q, %d) of %q: %v (-want +got):\n%s", prefix, after, limit, keys, err, diff)
		}
	})
}

func naive(keys []string, prefix, after string, limit int) []string {
	var names []string
	for _, key := range keys {
		rest, ok := strings.CutPrefix(key, prefix)
		if name, _, folder := strings.Cut(rest, "/"); folder {
			rest = name + "/"
		}
		if ok && rest > after && !slices.Contains(names, rest) {
			names = append(names, rest)
		}
	}
	slices.Sort(names)
	if limit > 0 && limit < len(names) {
		names = names[:limit]
	}
	return names
}
