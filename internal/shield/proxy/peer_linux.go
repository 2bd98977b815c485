package proxy

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// sameUser reports whether the other end of a connection over loopback is a socket of this user, as /proc/net/tcp has it
// (proc(5)): addresses in hex, each group of four bytes in the machine's order.
func sameUser(c net.Conn) bool {
	far, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return false
	}
	near, ok := c.LocalAddr().(*net.TCPAddr)
	if !ok {
		return false
	}
	a, b := far.AddrPort(), near.AddrPort()
	for _, table := range []struct {
		path string
		six  bool
	}{{"/proc/net/tcp", false}, {"/proc/net/tcp6", true}} {
		if uid, found := socketOwner(table.path, procAddress(a, table.six), procAddress(b, table.six)); found {
			return uid == os.Getuid()
		}
	}
	return false
}

func socketOwner(path, local, remote string) (uid int, found bool) {
	f, err := os.Open(path)
	if err != nil {
		return 0, false
	}
	defer func() { _ = f.Close() }() // only read from
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) > 7 && fields[1] == local && fields[2] == remote {
			uid, err := strconv.Atoi(fields[7])
			return uid, err == nil
		}
	}
	return 0, false
}

func procAddress(a netip.AddrPort, six bool) string {
	addr := a.Addr().Unmap()
	b := addr.AsSlice()
	if six {
		all := addr.As16()
		b = all[:]
	}
	words := make([]byte, 0, len(b))
	for i := 0; i+4 <= len(b); i += 4 {
		words = binary.NativeEndian.AppendUint32(words, binary.BigEndian.Uint32(b[i:]))
	}
	return strings.ToUpper(hex.EncodeToString(words)) + fmt.Sprintf(":%04X", a.Port())
}
