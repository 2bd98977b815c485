package sandbox

import (
	"errors"
	"fmt"
	"net"
	"path"
	"path/filepath"
)

// Errors of [Command].
var (
	// ErrIncomplete says that the system lacks a protection that [All] asked for. The error's text names them.
	ErrIncomplete = errors.New("protection is incomplete")
	// ErrUnsupported says that there is no sandbox for this system.
	ErrUnsupported = errors.New("there is no sandbox for this system")
)

// Level is how much of the protection must be there.
type Level int

const (
	// Best takes what the system offers; the [Report] tells what is missing.
	Best Level = iota
	// All refuses to start unless every layer is there.
	All
)

// Options say what the program may see. Of several paths that hold a file the longest decides; at the same path Hide wins.
// Symbolic links in paths are followed when the program starts.
type Options struct {
	// Dir is the working directory, which the program may write. Required, absolute.
	Dir string
	// Hide lists files and directories that look empty to the program, whatever they hold. They need not exist.
	Hide []string
	// HideFiles are patterns (path.Match) of names of files that look empty wherever they lie in Dir. A pattern that begins
	// with "!" makes an exception to those before it. The folders of version control and of installed dependencies are not
	// looked into.
	HideFiles []string
	// ReadOnly lists paths that the program may read though they lie in a hidden one, or may not write though they lie in a
	// writable one. All that is in no list may be read and not written, but for the private /tmp, /var/tmp, /run and /dev.
	ReadOnly []string
	// ReadWrite lists further paths that the program may write, and sockets that it may connect to.
	ReadWrite []string
	// Forward lists the only ways to a network.
	Forward []Forward
	// Require says whether to refuse when a layer is missing.
	Require Level
}

// Forward leads connections to a port of the program's 127.0.0.1 (and ::1) to an address outside. One of Socket and Address
// is required.
type Forward struct {
	// Port is the TCP port inside, 1 to 65535.
	Port int
	// Socket is the absolute path of a unix socket outside. It must exist when the program starts.
	Socket string
	// Address is a host:port outside.
	Address string
}

// check refuses what makes no sense before anything is started.
func (o *Options) check(argv []string) error {
	if len(argv) == 0 || argv[0] == "" {
		return errors.New("no program given")
	}
	if !filepath.IsAbs(o.Dir) {
		return fmt.Errorf("working directory %q is not absolute", o.Dir)
	}
	for _, list := range [][]string{o.Hide, o.ReadOnly, o.ReadWrite} {
		for _, p := range list {
			if !filepath.IsAbs(p) {
				return fmt.Errorf("path %q is not absolute", p)
			}
		}
	}
	for _, p := range o.HideFiles {
		if _, err := path.Match(p, ""); err != nil {
			return fmt.Errorf("pattern %q: %w", p, err)
		}
	}
	ports := map[int]bool{}
	for _, f := range o.Forward {
		if err := f.check(); err != nil {
			return err
		}
		if ports[f.Port] {
			return fmt.Errorf("port %d is forwarded twice", f.Port)
		}
		ports[f.Port] = true
	}
	return nil
}

func (f Forward) check() error {
	if f.Port < 1 || f.Port > 65535 {
		return fmt.Errorf("forwarding port %d: not a port", f.Port)
	}
	if (f.Socket == "") == (f.Address == "") {
		return fmt.Errorf("forwarding port %d: one of socket and address is needed", f.Port)
	}
	if f.Socket != "" && !filepath.IsAbs(f.Socket) {
		return fmt.Errorf("forwarding port %d: socket %q is not absolute", f.Port, f.Socket)
	}
	if f.Address != "" {
		if _, _, err := net.SplitHostPort(f.Address); err != nil {
			return fmt.Errorf("forwarding port %d: %w", f.Port, err)
		}
	}
	return nil
}
