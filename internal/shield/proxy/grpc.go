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

// isGRPC reports whether a body is of gRPC's messages: a byte of flags, the length in four bytes, the message.
func isGRPC(h http.Header) bool {
	return strings.HasPrefix(strings.ToLower(h.Get("Content-Type")), "application/grpc")
}

const (
	grpcHeader     = 5
	grpcCompressed = 1
	// maxMessage bounds a message of a stream whose messages may be compressed; they are looked through as a whole.
	maxMessage = 64 << 20
)

// errMessage is a message that cannot be looked through.
var errMessage = errors.New("a message of the stream cannot be looked through")

// frames looks into the compressed messages of a gRPC stream.
type frames struct {
	open func(io.Reader) (io.Reader, error)
	in   []byte
}

// newFrames returns nil for a stream without compression.
func newFrames(encoding string) (*frames, error) {
	if encoding == "" || encoding == "identity" {
		return nil, nil
	}
	open := decoder(strings.ToLower(encoding))
	if open == nil {
		return nil, fmt.Errorf("messages are encoded as %q, which cannot be looked through", encoding)
	}
	return &frames{open: open}, nil
}

// plain takes a piece of a stream and returns what may be passed on: whole messages. look sees what compressed ones hold; what
// it returns, if anything, is passed on in their place, not compressed.
func (f *frames) plain(piece []byte, final bool, look func([]byte) ([]byte, error)) ([]byte, error) {
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
	f.in = append([]byte(nil), f.in...)
	if final && len(f.in) > 0 {
		return nil, io.ErrUnexpectedEOF
	}
	return out, nil
}

func (f *frames) message(one []byte, look func([]byte) ([]byte, error)) ([]byte, error) {
	if one[0]&grpcCompressed == 0 || len(one) == grpcHeader {
		return one, nil
	}
	r, err := f.open(bytes.NewReader(one[grpcHeader:]))
	if err != nil {
		return nil, errMessage
	}
	text, err := io.ReadAll(io.LimitReader(r, maxMessage+1))
	if err != nil || len(text) > maxMessage {
		return nil, errMessage
	}
	with, err := look(text)
	if err != nil || with == nil {
		return one, err
	}
	out := binary.BigEndian.AppendUint32([]byte{one[0] &^ grpcCompressed}, uint32(len(with))) //nolint:gosec // at most maxMessage
	return append(out, with...), nil
}
