package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// openTargets prepares a way to each target while its path is still to be seen.
func openTargets(forwards []Forward) ([]dialer, error) {
	dialers := make([]dialer, len(forwards))
	for i, f := range forwards {
		var d net.Dialer
		if f.Address != "" {
			dialers[i] = func(ctx context.Context) (net.Conn, error) { return d.DialContext(ctx, "tcp", f.Address) }
			continue
		}
		fd, err := unix.Open(f.Socket, unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			return nil, fmt.Errorf("opening socket %q: %w", f.Socket, err)
		}
		// A descriptor names the socket wherever its path leads by then.
		p := "/proc/self/fd/" + strconv.Itoa(fd)
		dialers[i] = func(ctx context.Context) (net.Conn, error) { return d.DialContext(ctx, "unix", p) }
	}
	return dialers, nil
}

// listen makes a network of this thread's own, if it may, and opens the forwarded ports there.
func listen(j *jail) ([][]net.Listener, error) {
	if j.Namespaces {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return nil, fmt.Errorf("making a network: %w", err)
		}
		if err := loopbackUp(); err != nil {
			return nil, fmt.Errorf("starting the loopback network: %w", err)
		}
	}
	listeners := make([][]net.Listener, len(j.Forward))
	for i, f := range j.Forward {
		var err error
		if listeners[i], err = listenOn(f.Port); err != nil {
			return nil, fmt.Errorf("opening port %d: %w", f.Port, err)
		}
	}
	return listeners, nil
}

// listenOn opens a port of 127.0.0.1, and of ::1 where there is IPv6.
func listenOn(port int) ([]net.Listener, error) {
	four, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, err
	}
	six, err := net.Listen("tcp6", net.JoinHostPort("::1", strconv.Itoa(port)))
	if errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.EADDRNOTAVAIL) {
		return []net.Listener{four}, nil
	}
	if err != nil {
		return nil, errors.Join(err, four.Close())
	}
	return []net.Listener{four, six}, nil
}

func loopbackUp() (err error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unix.Close(fd)) }()
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request)
}

// serve relays until the run ends.
func serve(ctx context.Context, l net.Listener, dial dialer) {
	if err := relay(ctx, l, dial); err != nil {
		fmt.Fprintf(os.Stderr, "zvault: forwarding %s ended: %v\n", l.Addr(), err)
	}
}
