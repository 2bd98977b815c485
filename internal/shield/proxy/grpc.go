package proxy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// isGRPC reports whether a body is of gRPC's messages: a byte of flags, the length in four bytes, the message. The text form of
// gRPC-Web is not: it is all in base64.
func isGRPC(h http.Header) bool {
	kind, _, _ := strings.Cut(strings.ToLower(h.Get("Content-Type")), ";")
	kind, _, _ = strings.Cut(strings.TrimSpace(kind), "+")
	return kind == "application/grpc" || kind == "application/grpc-web"
}

const (
	grpcHeader     = 5
	grpcCompressed = 1
	// maxMessage bounds a message: they are looked through as a whole.
	maxMessage = 64 << 20
)

// errMessage is a message that cannot be looked through.
var errMessage = errors.New("a message of the stream cannot be looked through")

// frames looks into the messages of a gRPC stream, each by itself: where one ends, nothing is held back.
type frames struct {
	open func(io.Reader) (io.Reader, error) // of compressed messages; nil if there are none
	in   []byte
}

// newFrames looks at messages in an encoding.
func newFrames(encoding string) (*frames, error) {
	f := &frames{}
	if encoding == "" || encoding == "identity" {
		return f, nil
	}
	if f.open = decoder(strings.ToLower(encoding)); f.open == nil {
		return nil, fmt.Errorf("messages are encoded as %q, which cannot be looked through", encoding)
	}
	return f, nil
}

// lookAt sees a message and returns what is passed on in its place; the same slice if nothing changes.
type lookAt func(message []byte, compressed bool) ([]byte, error)

// pass takes a piece of a stream and returns what may be passed on: whole messages.
func (f *frames) pass(piece []byte, final bool, look lookAt) ([]byte, error) {
	f.in = append(f.in, piece...)
	var out []byte
	for len(f.in) >= grpcHeader {
		n := int64(binary.BigEndian.Uint32(f.in[1:]))
		if n > maxMessage {
			return nil, errMessage
		}
		if int64(len(f.in)) < grpcHeader+n {
			break
		}
		one := f.in[:grpcHeader+n]
		f.in = f.in[grpcHeader+n:]
		with, err := f.message(one, look)
		if err != nil {
			return nil, err
		}
		out = append(out, with...)
	}
	if len(out) > 0 {
		f.in = append([]byte(nil), f.in...)
	}
	if final && len(f.in) > 0 {
		return nil, io.ErrUnexpectedEOF
	}
	return out, nil
}

// message passes on one message; one that was changed is not compressed any more.
func (f *frames) message(one []byte, look lookAt) ([]byte, error) {
	text, compressed := one[grpcHeader:], one[0]&grpcCompressed != 0
	if compressed && len(text) > 0 {
		var err error
		if text, err = f.decompress(text); err != nil {
			return nil, err
		}
	}
	with, err := look(text, compressed)
	if err != nil || bytes.Equal(with, text) {
		return one, err
	}
	out := binary.BigEndian.AppendUint32([]byte{one[0] &^ grpcCompressed}, uint32(len(with))) //nolint:gosec // at most maxMessage
	return append(out, with...), nil
}

func (f *frames) decompress(text []byte) ([]byte, error) {
	if f.open == nil {
		return nil, errMessage
	}
	r, err := f.open(bytes.NewReader(text))
	if err != nil {
		return nil, errMessage
	}
	plain, err := io.ReadAll(io.LimitReader(r, maxMessage+1))
	if err != nil || len(plain) > maxMessage {
		return nil, errMessage
	}
	return plain, nil
}
