package proxy

import (
	"bytes"
	"strconv"
)

// head is what the head of a request says about its frame.
type head struct {
	length           int64
	hasLength        bool
	chunked, upgrade bool
	hosts            int
	// raw says that what follows is not HTTP.
	raw bool
}

// framed reports whether a field says where the body ends.
func (h *head) framed() bool { return h.hasLength || h.chunked || h.hosts > 0 }

// readHead reads the lines of a head, each with its end, as RFC 9112 has them without what it tolerates.
func readHead(b []byte) (*head, bool) {
	end := bytes.Index(b, []byte("\r\n"))
	method, rest, ok := bytes.Cut(b[:end], []byte(" "))
	address, version, ok2 := bytes.Cut(rest, []byte(" "))
	if !ok || !ok2 || !isToken(method) || len(address) == 0 || !visible(address) {
		return nil, false
	}
	old := string(version) == "HTTP/1.0"
	if !old && string(version) != "HTTP/1.1" {
		return nil, false
	}
	h := &head{}
	if !h.fields(b[end+2:]) {
		return nil, false
	}
	if h.hasLength && h.chunked || old && h.chunked || !old && h.hosts != 1 || h.hosts > 1 {
		return nil, false
	}
	h.raw = h.upgrade || string(method) == "CONNECT"
	if h.raw && (h.chunked || h.length > 0) {
		return nil, false // nothing tells where the body ends and the other protocol begins
	}
	return h, true
}

// fields reads lines "name: value", each with its end.
func (h *head) fields(b []byte) bool {
	for len(b) > 0 {
		end := bytes.IndexByte(b, '\n')
		line, ok := bytes.CutSuffix(b[:end], []byte("\r"))
		if !ok {
			return false
		}
		b = b[end+1:]
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok || !isToken(name) || !clean(value) {
			return false // also a line that goes on from the one before, and white space before the colon
		}
		if !h.field(name, bytes.Trim(value, " \t")) {
			return false
		}
	}
	return true
}

func (h *head) field(name, value []byte) bool {
	switch {
	case bytes.EqualFold(name, []byte("host")):
		h.hosts++
	case bytes.EqualFold(name, []byte("upgrade")):
		h.upgrade = true
	case bytes.EqualFold(name, []byte("transfer-encoding")):
		if h.chunked || !bytes.EqualFold(value, []byte("chunked")) {
			return false
		}
		h.chunked = true
	case bytes.EqualFold(name, []byte("content-length")):
		n, err := strconv.ParseInt(string(value), 10, 64)
		if err != nil || h.hasLength || value[0] < '0' || value[0] > '9' {
			return false
		}
		h.length, h.hasLength = n, true
	}
	return true
}

// isToken reports whether b is a token (RFC 9110, 5.6.2).
func isToken(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c >= 0x7f || bytes.IndexByte([]byte(`"(),/:;<=>?@[\]{}`), c) >= 0 {
			return false
		}
	}
	return len(b) > 0
}

// clean reports whether b has no control characters but tabs.
func clean(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// visible reports whether b is of printable ASCII without spaces.
func visible(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}
