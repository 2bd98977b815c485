package barrier

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

const (
	// ownPrefix holds what belongs to the barrier and the seal; it cannot be reached through the barrier.
	ownPrefix = "core/"
	// publicPrefix holds names that are fixed and ours, stored as they are. Values there are sealed like all others.
	publicPrefix = "sys/"
)

func isOwn(name string) bool { return strings.HasPrefix(name, ownPrefix) }

func isPublic(name string) bool { return strings.HasPrefix(name, publicPrefix) }

// sealedPrefix sets sealed names apart from public ones.
const sealedPrefix = "x/"

// nameSealer seals names segment by segment, so that what lies below one path can be listed.
//
// A segment s below the path p is stored as base64url(iv || AES-256-CTR(iv, s)) with iv = the first 16 bytes of
// HMAC-SHA256(p, 0x00, s): a synthetic initialisation vector, as in the SIV construction of Rogaway and Shrimpton, so
// the same segment below the same path always seals alike and can be looked up. That shows whoever reads the store how
// many entries lie below a path and how long their names are, and nothing else. The order of sealed names is not that of
// the names.
type nameSealer struct {
	mac   *crypt.Key
	block cipher.Block
}

const ivSize = 16

var errName = errors.New("a name in the store does not open: it is damaged or was moved")

func newNameSealer(key *crypt.Key) (*nameSealer, error) {
	enc, err := key.Derive("names: encrypt")
	if err != nil {
		return nil, err
	}
	defer enc.Destroy()
	mac, err := key.Derive("names: authenticate")
	if err != nil {
		return nil, err
	}
	s := &nameSealer{mac: mac}
	err = enc.Export(func(material []byte) error {
		s.block, err = aes.NewCipher(material)
		return err
	})
	return s, err
}

func (s *nameSealer) iv(parent, segment string) []byte {
	sum := s.mac.MAC("segment", []byte(parent+"\x00"+segment))
	return sum[:ivSize]
}

func (s *nameSealer) segment(parent, segment string) string {
	out := append(make([]byte, 0, ivSize+len(segment)), s.iv(parent, segment)...)
	out = append(out, segment...)
	cipher.NewCTR(s.block, out[:ivSize]).XORKeyStream(out[ivSize:], out[ivSize:])
	return base64.RawURLEncoding.EncodeToString(out)
}

func (s *nameSealer) openSegment(parent, sealed string) (string, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(sealed)
	if err != nil || len(raw) < ivSize {
		return "", errName
	}
	plain := make([]byte, len(raw)-ivSize)
	cipher.NewCTR(s.block, raw[:ivSize]).XORKeyStream(plain, raw[ivSize:])
	if !hmac.Equal(raw[:ivSize], s.iv(parent, string(plain))) {
		return "", errName
	}
	return string(plain), nil
}

// seal returns the name under which name is stored.
func (s *nameSealer) seal(name string) (string, error) {
	if err := validName(name); err != nil {
		return "", err
	}
	if isPublic(name) {
		return name, nil
	}
	stored := s.path(name)
	if len(stored) > storage.MaxKey {
		return "", fmt.Errorf("sealing a name of %d bytes: %w", len(name), storage.ErrTooLarge)
	}
	return stored, nil
}

// path seals each segment of a path; a trailing slash stays one.
func (s *nameSealer) path(name string) string {
	var b strings.Builder
	b.WriteString(sealedPrefix)
	parent := ""
	for rest := name; rest != ""; {
		segment, after, more := strings.Cut(rest, "/")
		b.WriteString(s.segment(parent, segment))
		if more {
			b.WriteByte('/')
			parent += segment + "/"
		}
		rest = after
	}
	return b.String()
}

// open returns the name that is stored as stored.
func (s *nameSealer) open(stored string) (string, error) {
	rest, ok := strings.CutPrefix(stored, sealedPrefix)
	if !ok {
		return stored, nil
	}
	name := ""
	for rest != "" {
		sealed, after, more := strings.Cut(rest, "/")
		segment, err := s.openSegment(name, sealed)
		if err != nil {
			return "", err
		}
		name += segment
		if more {
			name += "/"
		}
		rest = after
	}
	return name, nil
}

// validName refuses what storage would, before it is sealed, and what is the barrier's own.
func validName(name string) error {
	if name == "" || isOwn(name) || strings.ContainsRune(name, 0) || !utf8.ValidString(name) {
		return storage.ErrInvalidKey
	}
	if len(name) > storage.MaxKey {
		return storage.ErrTooLarge
	}
	return nil
}
