package kwp_test

import (
	"bytes"
	"crypto/aes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/transit/internal/kwp"
)

// hexed is bytes written in hex.
type hexed []byte

func (h *hexed) UnmarshalJSON(text []byte) error {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	b, err := hex.DecodeString(s)
	*h = b
	return err
}

func load(t testing.TB, name string, v any) {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + name)
	if err == nil {
		err = json.Unmarshal(raw, v)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestRFC5649(t *testing.T) {
	var vectors []struct{ KEK, Key, Wrapped hexed }
	load(t, "rfc5649.json", &vectors)
	if len(vectors) != 2 {
		t.Fatalf("%d vectors", len(vectors))
	}
	for i, v := range vectors {
		if got, err := kwp.Wrap(v.KEK, v.Key); err != nil || !bytes.Equal(got, v.Wrapped) {
			t.Errorf("%d: wrap: %x, %v", i, got, err)
		}
		if got, err := kwp.Unwrap(v.KEK, v.Wrapped); err != nil || !bytes.Equal(got, v.Key) {
			t.Errorf("%d: unwrap: %x, %v", i, got, err)
		}
	}
}

func TestWycheproof(t *testing.T) {
	var file struct {
		TestGroups []struct {
			Tests []struct {
				TcID         int
				Key, Msg, CT hexed
				Result       string
				Flags        []string
			}
		}
	}
	load(t, "aes_kwp_test.json", &file)
	valid, invalid := 0, 0
	for _, group := range file.TestGroups {
		for _, test := range group.Tests {
			got, err := kwp.Unwrap(test.Key, test.CT)
			switch test.Result {
			case "invalid":
				invalid++
				if err == nil {
					t.Errorf("%d %v: unwrapped to %x", test.TcID, test.Flags, got)
				}
			default: // "acceptable" are short keys, which the format allows
				if test.Result == "acceptable" && len(test.Msg) == 0 {
					continue
				}
				valid++
				if err != nil || !bytes.Equal(got, test.Msg) {
					t.Errorf("%d %v: %x, %v", test.TcID, test.Flags, got, err)
				}
				if again, err := kwp.Wrap(test.Key, test.Msg); err != nil || !bytes.Equal(again, test.CT) {
					t.Errorf("%d %v: wrapped to %x, %v", test.TcID, test.Flags, again, err)
				}
			}
		}
	}
	if valid < 50 || invalid < 50 {
		t.Errorf("only %d valid and %d invalid vectors", valid, invalid)
	}
}

func TestSizes(t *testing.T) {
	kek := bytes.Repeat([]byte{7}, 32)
	for n := 1; n <= 70; n++ {
		key := bytes.Repeat([]byte{byte(n)}, n)
		wrapped, err := kwp.Wrap(kek, key)
		if err != nil || len(wrapped) != 8+(n+7)/8*8 {
			t.Fatalf("%d bytes: wrapped to %d, %v", n, len(wrapped), err)
		}
		before := bytes.Clone(wrapped)
		if got, err := kwp.Unwrap(kek, wrapped); err != nil || !bytes.Equal(got, key) || !bytes.Equal(before, wrapped) {
			t.Errorf("%d bytes: %x, %v", n, got, err)
		}
		for i := range wrapped {
			wrapped[i] ^= 1
			if _, err := kwp.Unwrap(kek, wrapped); !errors.Is(err, kwp.ErrIntegrity) {
				t.Errorf("%d bytes, byte %d changed: %v", n, i, err)
			}
			wrapped[i] ^= 1
		}
	}
}

// TestForged unwraps plaintexts of one block that nobody wraps: with a wrong length or padding.
func TestForged(t *testing.T) {
	kek := bytes.Repeat([]byte{9}, 16)
	block, err := aes.NewCipher(kek)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		prefix uint32
		length uint32
		tail   [8]byte
		ok     bool
	}{
		{"whole", 0xA65959A6, 8, [8]byte{1, 2, 3, 4, 5, 6, 7, 8}, true},
		{"padded", 0xA65959A6, 3, [8]byte{1, 2, 3}, true},
		{"no key", 0xA65959A6, 0, [8]byte{}, false},
		{"too long", 0xA65959A6, 9, [8]byte{1, 2, 3, 4, 5, 6, 7, 8}, false},
		{"huge", 0xA65959A6, 0xffffffff, [8]byte{1, 2, 3, 4, 5, 6, 7, 8}, false},
		{"padding not zero", 0xA65959A6, 3, [8]byte{1, 2, 3, 0, 0, 0, 0, 1}, false},
		{"prefix", 0xA65959A7, 8, [8]byte{1, 2, 3, 4, 5, 6, 7, 8}, false},
	} {
		var b [16]byte
		binary.BigEndian.PutUint32(b[:], test.prefix)
		binary.BigEndian.PutUint32(b[4:], test.length)
		copy(b[8:], test.tail[:])
		block.Encrypt(b[:], b[:])
		got, err := kwp.Unwrap(kek, b[:])
		if test.ok && (err != nil || !bytes.Equal(got, test.tail[:test.length])) {
			t.Errorf("%s: %x, %v", test.name, got, err)
		}
		if !test.ok && !errors.Is(err, kwp.ErrIntegrity) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestRefused(t *testing.T) {
	kek := make([]byte, 32)
	for _, n := range []int{0, 8, 15, 17, 23, kwp.MaxKey + 16} {
		if _, err := kwp.Unwrap(kek, make([]byte, n)); !errors.Is(err, kwp.ErrSize) {
			t.Errorf("unwrapping %d bytes: %v", n, err)
		}
	}
	for _, n := range []int{0, kwp.MaxKey + 1} {
		if _, err := kwp.Wrap(kek, make([]byte, n)); !errors.Is(err, kwp.ErrSize) {
			t.Errorf("wrapping %d bytes: %v", n, err)
		}
	}
	for _, n := range []int{0, 15, 33} {
		if _, err := kwp.Wrap(make([]byte, n), kek); !errors.Is(err, kwp.ErrKey) {
			t.Errorf("key of %d bytes: %v", n, err)
		}
		if _, err := kwp.Unwrap(make([]byte, n), kek); !errors.Is(err, kwp.ErrKey) {
			t.Errorf("key of %d bytes: %v", n, err)
		}
	}
}

// FuzzUnwrap requires that whatever unwraps is what wrapping its key gives.
func FuzzUnwrap(f *testing.F) {
	var vectors []struct{ KEK, Key, Wrapped hexed }
	load(f, "rfc5649.json", &vectors)
	for _, v := range vectors {
		f.Add([]byte(v.KEK), []byte(v.Wrapped))
		f.Add([]byte(v.KEK), []byte(v.Key))
	}
	f.Fuzz(func(t *testing.T, kek, wrapped []byte) {
		key, err := kwp.Unwrap(kek, wrapped)
		if err == nil {
			again, err := kwp.Wrap(kek, key)
			if err != nil || !bytes.Equal(again, wrapped) {
				t.Fatalf("%x wraps to %x, %v; not %x", key, again, err, wrapped)
			}
		}
	})
}
