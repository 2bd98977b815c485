package authority

import (
	"crypto/sha1" //nolint:gosec // the format's checksum
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"time"
	"unicode/utf16"
)

// storePassword protects nothing: a trust store holds no secret. Java wants one to check the store's integrity.
const storePassword = "changeit"

// javaStore writes certificates as a Java key store of the format JKS, all numbers big-endian:
//
//	0xfeedfeed, version 2 (uint32), number of entries (uint32)
//	for each: kind 2 (uint32), alias (text), time in milliseconds (uint64), "X.509" (text), length (uint32), certificate
//	SHA-1 of the password in UTF-16BE, the words "Mighty Aphrodite", and all of the above
//
// where a text is its length (uint16) and its bytes.
func javaStore(certificates []byte, now time.Time) []byte {
	text := func(b []byte, s string) []byte {
		return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...) //nolint:gosec // the few texts above are short
	}
	n := uint32(0)
	var entries []byte
	for block, rest := pem.Decode(certificates); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		n++
		entries = binary.BigEndian.AppendUint32(entries, 2)
		entries = text(entries, fmt.Sprintf("ca%d", n))
		entries = binary.BigEndian.AppendUint64(entries, uint64(now.UnixMilli())) //nolint:gosec // after 1970
		entries = text(entries, "X.509")
		entries = binary.BigEndian.AppendUint32(entries, uint32(len(block.Bytes))) //nolint:gosec // a certificate
		entries = append(entries, block.Bytes...)
	}
	out := binary.BigEndian.AppendUint32(nil, 0xfeedfeed)
	out = binary.BigEndian.AppendUint32(out, 2)
	out = append(binary.BigEndian.AppendUint32(out, n), entries...)
	sum := sha1.New() //nolint:gosec // the format's checksum
	for _, u := range utf16.Encode([]rune(storePassword)) {
		sum.Write([]byte{byte(u >> 8), byte(u)})
	}
	sum.Write([]byte("Mighty Aphrodite"))
	sum.Write(out)
	return sum.Sum(out)
}
