package record

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Signature is an Ed25519 signature (RFC 8032).
type Signature [ed25519.SignatureSize]byte

// KeyID tells which key signed: the first bytes of the SHA-256 of the public key.
type KeyID [8]byte

// ErrSignature is returned for a checkpoint that the expected key did not sign.
var ErrSignature = errors.New("signature of the checkpoint is wrong")

// KeyIDOf returns the id of pub.
func KeyIDOf(pub ed25519.PublicKey) KeyID {
	sum := sha256.Sum256(pub)
	return KeyID(sum[:8])
}

// CheckpointMessage appends what a checkpoint at place seq signs: four lines of text, which are the purpose, the
// checkpoint's sequence number, the hash of the line before it, and its time as the line has it.
func CheckpointMessage(dst []byte, seq uint64, prev Hash, t time.Time) []byte {
	dst = append(dst, "zvault audit checkpoint 1\n"...)
	dst = append(strconv.AppendUint(dst, seq, 10), '\n')
	dst = append(hex.AppendEncode(dst, prev[:]), '\n')
	return append(appendTime(dst, t), '\n')
}

// CheckSignature returns ErrSignature unless pub signed the checkpoint l.
func (l *Line) CheckSignature(pub ed25519.PublicKey) error {
	if id := KeyIDOf(pub); l.Key != id {
		return fmt.Errorf("%w: key %x, not %x", ErrSignature, l.Key, id)
	}
	if !ed25519.Verify(pub, CheckpointMessage(nil, l.Seq, l.Prev, l.Time), l.Signature[:]) {
		return ErrSignature
	}
	return nil
}
