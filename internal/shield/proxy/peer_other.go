//go:build !linux

package proxy

import "net"

// sameUser cannot be told here.
func sameUser(net.Conn) bool { return false }
