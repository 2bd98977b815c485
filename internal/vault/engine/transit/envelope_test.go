package transit

import (
	"bytes"
	"testing"
)

func TestParseEnvelope(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text    string
		number  int
		encoded string
		bad     defect
	}{
		{"vault:v1:AAAA", 1, "AAAA", noDefect},
		{"vault:v0:", 0, "", noDefect},
		{"vault:v123456789:a:b", 123456789, "a:b", noDefect},
		{"", 0, "", noPrefix},
		{"vault:", 0, "", noPrefix},
		{"Vault:v1:AAAA", 0, "", noPrefix},
		{" vault:v1:AAAA", 0, "", noPrefix},
		{"vault:v", 0, "", wrongFields},
		{"vault:v1", 0, "", wrongFields},
		{"vault:v1AAAA", 0, "", wrongFields},
		{"vault:v:AAAA", 0, "", badVersion},
		{"vault:v01:AAAA", 0, "", badVersion},
		{"vault:v00:AAAA", 0, "", badVersion},
		{"vault:v+1:AAAA", 0, "", badVersion},
		{"vault:v-1:AAAA", 0, "", badVersion},
		{"vault:v1 :AAAA", 0, "", badVersion},
		{"vault:v0x1:AAAA", 0, "", badVersion},
		{"vault:v１:AAAA", 0, "", badVersion},
		{"vault:v1234567890:AAAA", 0, "", badVersion},
		{"vault:v99999999999999999999:AAAA", 0, "", badVersion},
	} {
		number, encoded, bad := parseEnvelope(test.text)
		if bad != test.bad || bad == noDefect && (number != test.number || encoded != test.encoded) {
			t.Errorf("%q: %d, %q, %q", test.text, number, encoded, bad)
		}
	}
}

// FuzzParseEnvelope requires that what is parsed can be written again in one way only.
func FuzzParseEnvelope(f *testing.F) {
	for _, text := range []string{"vault:v1:AAAA", "vault:v0:", "vault:v01:A", "vault:v:", "vault:v1", "vault:v999999999:=", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		number, encoded, bad := parseEnvelope(text)
		if bad != noDefect {
			return
		}
		if again := string(appendPrefix(nil, number)) + encoded; again != text {
			t.Errorf("%q is written as %q", text, again)
		}
	})
}

// FuzzDecrypt requires that nothing but what encrypt made is decrypted, whatever the type of the key. The keys are always the
// same, so that what fails can be tried again.
func FuzzDecrypt(f *testing.F) {
	var keys []*key
	for _, kind := range []kind{aes128, aes256, chacha20, xchacha20} {
		k := &key{Name: "fuzz", Type: kind}
		v := &version{Key: bytes.Repeat([]byte{7}, kind.size())}
		v.prepare(kind)
		k.add(v)
		keys = append(keys, k)
		sealed, _, err := k.encrypt(nil, &item{text: "aGVsbG8="}, nil)
		if err != nil {
			f.Fatal(err)
		}
		opened, err := k.decrypt(&item{text: string(sealed)}, nil)
		if err != nil || string(opened) != "hello" {
			f.Fatalf("%v: does not decrypt: %v", kind, err)
		}
		f.Add(len(keys)-1, string(sealed[:len(sealed)-4]))
	}
	f.Add(0, "vault:v1:")
	f.Fuzz(func(t *testing.T, which int, text string) {
		if _, err := keys[uint(which)%uint(len(keys))].decrypt(&item{text: text}, nil); err == nil {
			t.Errorf("%q was decrypted", text)
		}
	})
}
