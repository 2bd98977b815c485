package mysql

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
)

// The first byte of packets, and the capabilities that matter here.
const (
	packetOK     = 0x00
	packetMore   = 0x01
	packetSwitch = 0xfe
	packetErr    = 0xff

	capConnectWithDB = 1 << 3
	capCompress      = 1 << 5
	capProtocol41    = 1 << 9
	capSSL           = 1 << 11
	capSecure        = 1 << 15
	capPluginAuth    = 1 << 19
	capConnectAttrs  = 1 << 20
	capLenencAuth    = 1 << 21
	capZstd          = 1 << 26

	nonceSize = 20
	maxPacket = 1 << 20 // bytes, while logging in
)

var errMalformed = errors.New("not a packet of MySQL's protocol")

// packets are what one side sends and hears, numbered across both directions.
type packets struct {
	c        net.Conn
	sequence byte
}

func (p *packets) read() ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(p.c, head[:]); err != nil {
		return nil, err
	}
	n := int(head[0]) | int(head[1])<<8 | int(head[2])<<16
	if n > maxPacket {
		return nil, errMalformed
	}
	p.sequence = head[3] + 1
	b := make([]byte, n)
	_, err := io.ReadFull(p.c, b)
	return b, err
}

func (p *packets) write(b []byte) error {
	head := []byte{byte(len(b)), byte(len(b) >> 8), byte(len(b) >> 16), p.sequence}
	p.sequence++
	_, err := p.c.Write(append(head, b...))
	return err
}

// failure is an error packet.
func failure(code uint16, state, message string) []byte {
	b := binary.LittleEndian.AppendUint16([]byte{packetErr}, code)
	return append(append(append(b, '#'), state...), message...)
}

// greeting is how a server begins (protocol 10).
type greeting struct {
	version      string
	thread       uint32
	capabilities uint32
	charset      byte
	status       uint16
	extended     []byte // 10 bytes; MariaDB keeps capabilities of its own there
	nonce        []byte
	plugin       string
}

func parseGreeting(b []byte) (*greeting, error) {
	if len(b) == 0 || b[0] != 10 {
		return nil, errors.New("the server speaks no protocol that is known")
	}
	version, rest, ok := bytes.Cut(b[1:], []byte{0})
	if !ok || len(rest) < 4+8+1+2+1+2+2+1+10 {
		return nil, errMalformed
	}
	g := &greeting{version: string(version), thread: binary.LittleEndian.Uint32(rest)}
	g.nonce = append(g.nonce, rest[4:12]...)
	rest = rest[13:]
	g.capabilities = uint32(binary.LittleEndian.Uint16(rest))
	g.charset = rest[2]
	g.status = binary.LittleEndian.Uint16(rest[3:])
	g.capabilities |= uint32(binary.LittleEndian.Uint16(rest[5:])) << 16
	g.extended = bytes.Clone(rest[8:18])
	rest = rest[18:]
	if g.capabilities&capProtocol41 == 0 || g.capabilities&capPluginAuth == 0 {
		return nil, errors.New("the server is too old: it has no authentication plugins")
	}
	if len(rest) < 13 {
		return nil, errMalformed
	}
	g.nonce = append(g.nonce, rest[:nonceSize-8]...)
	plugin, _, _ := bytes.Cut(rest[13:], []byte{0})
	g.plugin = string(plugin)
	return g, nil
}

func (g *greeting) encode() []byte {
	b := append([]byte{10}, g.version...)
	b = append(b, 0)
	b = binary.LittleEndian.AppendUint32(b, g.thread)
	b = append(append(b, g.nonce[:8]...), 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(g.capabilities)) //nolint:gosec // the lower half
	b = append(b, g.charset)
	b = binary.LittleEndian.AppendUint16(b, g.status)
	b = binary.LittleEndian.AppendUint16(b, uint16(g.capabilities>>16))
	b = append(b, nonceSize+1)
	b = append(b, g.extended...)
	b = append(append(b, g.nonce[8:]...), 0)
	return append(append(b, g.plugin...), 0)
}

// response is how a client answers.
type response struct {
	capabilities uint32
	maxPacket    uint32
	charset      byte
	reserved     []byte // 23 bytes; MariaDB's clients keep capabilities of their own there
	user         string
	proof        []byte
	database     string
	plugin       string
	attributes   []byte // with their length
}

const responseHead = 4 + 4 + 1 + 23

func parseResponse(b []byte) (*response, error) {
	if len(b) < responseHead {
		return nil, errMalformed
	}
	r := &response{capabilities: binary.LittleEndian.Uint32(b), maxPacket: binary.LittleEndian.Uint32(b[4:]), charset: b[8], reserved: bytes.Clone(b[9:32])}
	if need := uint32(capProtocol41 | capSecure | capPluginAuth); r.capabilities&need != need || r.capabilities&capSSL != 0 {
		return nil, errors.New("the client is too old, or insists on TLS, which the broker on this machine has none of")
	}
	b = b[responseHead:]
	var ok bool
	if r.user, b, ok = text(b); !ok {
		return nil, errMalformed
	}
	if r.proof, b, ok = counted(b); !ok { // one byte of length: proofs are short, and longer lengths begin with a byte above 250
		return nil, errMalformed
	}
	if r.capabilities&capConnectWithDB != 0 {
		if r.database, b, ok = text(b); !ok {
			return nil, errMalformed
		}
	}
	if r.plugin, b, ok = text(b); !ok {
		return nil, errMalformed
	}
	if r.capabilities&capConnectAttrs != 0 {
		r.attributes = bytes.Clone(b)
	}
	return r, nil
}

// text cuts off a text that ends with NUL, or with the packet.
func text(b []byte) (string, []byte, bool) {
	t, rest, found := bytes.Cut(b, []byte{0})
	return string(t), rest, found || len(b) > 0
}

func counted(b []byte) (content, rest []byte, ok bool) {
	if len(b) == 0 || b[0] > 250 || int(b[0]) > len(b)-1 {
		return nil, nil, false
	}
	n := int(b[0])
	return b[1 : 1+n], b[1+n:], true
}

// flags are the capabilities to be sent: the program's, as far as they speak of more than the login.
func (r *response) flags() uint32 {
	f := r.capabilities&^(capConnectWithDB|capLenencAuth) | capProtocol41 | capSecure | capPluginAuth
	if r.database != "" {
		f |= capConnectWithDB
	}
	return f
}

// encodeSSLRequest is the beginning of a response, after which both sides speak TLS.
func (r *response) encodeSSLRequest() []byte {
	b := binary.LittleEndian.AppendUint32(nil, r.flags())
	b = binary.LittleEndian.AppendUint32(b, r.maxPacket)
	return append(append(b, r.charset), r.reserved...)
}

func (r *response) encode() []byte {
	b := append(append(r.encodeSSLRequest(), r.user...), 0)
	b = append(append(b, byte(len(r.proof))), r.proof...)
	if r.database != "" {
		b = append(append(b, r.database...), 0)
	}
	return append(append(append(b, r.plugin...), 0), r.attributes...)
}
