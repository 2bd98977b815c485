package storagetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

// inByteOrder has what other orders get wrong: case, punctuation, accents, and characters beyond 16 bits, which
// sort below some others in UTF-16.
var inByteOrder = []string{
	"\x01", " ", "!", "-", "/", "0", "10", "9", "A", "B", "Z", "_", "a", "a b", "a-b", "a/", "a/b", "aB", "ab", "b", "z",
	"~", "\x7f", "\u0080", "e\u0301", "\u00e4", "\u00e9", "\u00fc", "\u03b1", "\u4e2d", "\uffff", "\U00010000", "\U0001f600",
}

func testByteOrder(t *testing.T, b storage.Backend) {
	keys := slices.Clone(inByteOrder)
	slices.Reverse(keys)
	putKeys(t, b, keys...)
	slices.Sort(keys)
	wantScan(t, b, "", "", 0, keys...)
	for i, key := range keys {
		wantScan(t, b, "", key, 1, keys[i+1:min(i+2, len(keys))]...)
	}
}

func testPrefixes(t *testing.T, b storage.Backend) {
	putKeys(t, b, "a", "a/", "a/b", "a/b/c", "a0", "aa", "ab", "b", "\u00e9", "\u00e9a", "\u00ea", "\U0010ffff", "\U0010ffff\U0010ffff")
	for prefix, keys := range map[string][]string{
		"a":                    {"a", "a/", "a/b", "a/b/c", "a0", "aa", "ab"},
		"a/":                   {"a/", "a/b", "a/b/c"},
		"a/b":                  {"a/b", "a/b/c"},
		"a/b/c":                {"a/b/c"},
		"a/b/c/":               nil,
		"b":                    {"b"},
		"c":                    nil,
		"\xc3":                 {"\u00e9", "\u00e9a", "\u00ea"}, // half a character
		"\u00e9":               {"\u00e9", "\u00e9a"},
		"\U0010ffff":           {"\U0010ffff", "\U0010ffff\U0010ffff"},
		"\U0010ffff\U0010ffff": {"\U0010ffff\U0010ffff"},
		"\xff":                 nil,
		"%":                    nil,
		"_":                    nil,
	} {
		wantScan(t, b, prefix, "", 0, keys...)
	}
}

func testScanPages(t *testing.T, b storage.Backend) {
	var keys []string
	for i := range 100 {
		keys = append(keys, fmt.Sprintf("p/%02d", i))
	}
	putKeys(t, b, keys...)
	putKeys(t, b, "o", "p", "q")
	for _, size := range []int{1, 7, 50, 99, 100, 101} {
		var got []string
		for after := ""; ; after = got[len(got)-1] {
			page, err := b.Scan(t.Context(), "p/", after, size)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range page {
				got = append(got, e.Key)
			}
			if len(page) < size {
				break
			}
		}
		if diff := cmp.Diff(keys, got); diff != "" {
			t.Fatalf("in pages of %d (-want +got):\n%s", size, diff)
		}
	}
	wantScan(t, b, "p/", "p/50x", 2, "p/51", "p/52") // need not exist
	wantScan(t, b, "p/", "a", 2, "p/00", "p/01")     // before the prefix
	wantScan(t, b, "p/", "p", 1, "p/00")             // a prefix of the prefix
	wantScan(t, b, "p/", "p/99", 0)                  // the last
	wantScan(t, b, "p/", "z", 0)                     // behind the prefix
	wantScan(t, b, "", "p/98", 0, "p/99", "q")       // no prefix
	wantScan(t, b, "p/9", "p/98\x00", 0, "p/99")     // no key at all
	wantScan(t, b, "p/9", "p/98\xff\xff", 0, "p/99") // nor this
}

func testList(t *testing.T, b storage.Backend) {
	putKeys(t, b, "a", "a!", "a/", "a/1", "a/2/x", "a/2/y", "a/2", "a0", "b/c/d/e", "\u00e9/\u00e9", "c//x", "/root")
	for _, c := range []struct {
		prefix string
		names  []string
	}{
		{"", []string{"/", "a", "a!", "a/", "a0", "b/", "c/", "\u00e9/"}},
		{"a/", []string{"1", "2", "2/"}},
		{"a/2/", []string{"x", "y"}},
		{"b/", []string{"c/"}},
		{"b/c/d/", []string{"e"}},
		{"\u00e9/", []string{"\u00e9"}},
		{"c/", []string{"/"}},
		{"c//", []string{"x"}},
		{"/", []string{"root"}},
		{"none/", nil},
		{"a/1/", nil},
	} {
		wantList(t, b, c.prefix, "", 0, c.names...)
	}
	for _, prefix := range []string{"a", "b/c", "none"} {
		if names, err := b.List(t.Context(), prefix, "", 0); !errors.Is(err, storage.ErrInvalidKey) {
			t.Errorf("List(%q) = %q, %v; want ErrInvalidKey", prefix, names, err)
		}
	}
}

func testListPages(t *testing.T, b storage.Backend) {
	putKeys(t, b, "f/a", "f/b/1", "f/b/2", "f/b/3", "f/b", "f/c/1", "f/d", "f/e/1/2", "g")
	all := []string{"a", "b", "b/", "c/", "d", "e/"}
	wantList(t, b, "f/", "", 0, all...)
	for limit := 1; limit <= len(all)+1; limit++ {
		for i := range all {
			wantList(t, b, "f/", all[i], limit, all[i+1:min(i+1+limit, len(all))]...)
		}
		wantList(t, b, "f/", "", limit, all[:min(limit, len(all))]...)
	}
	wantList(t, b, "f/", "aa", 2, "b", "b/") // need not exist
	wantList(t, b, "f/", "b/2", 2, "c/", "d")
	wantList(t, b, "f/", "b0", 1, "c/")
	wantList(t, b, "f/", "zz", 0)
}

// testListLeaps has folders and runs of names longer than the batches that a backend may read in.
func testListLeaps(t *testing.T, b storage.Backend) {
	var keys, names []string
	for folder := range 5 {
		for i := range 40 * folder * folder {
			keys = append(keys, fmt.Sprintf("r/%d/%04d", folder*100, i))
		}
		for i := range 30 * folder {
			keys = append(keys, fmt.Sprintf("r/%d", folder*100+i+1))
		}
	}
	putKeys(t, b, append(keys, "q/zz", "s/a")...)
	for _, key := range keys {
		name := key[len("r/"):]
		if i := slices.Index([]byte(name), '/'); i >= 0 {
			name = name[:i+1]
		}
		names = append(names, name)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	wantList(t, b, "r/", "", 0, names...)
	wantList(t, b, "r/", names[100], 60, names[101:161]...)
	wantList(t, b, "", "", 0, "q/", "r/", "s/")
}
