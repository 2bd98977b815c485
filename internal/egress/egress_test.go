package egress_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/egress"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	for address, refused := range map[string]bool{
		"169.254.169.254": true, "169.254.0.1": true, "::ffff:169.254.169.254": true, "64:ff9b::a9fe:a9fe": true,
		"2002:a9fe:a9fe::1": true, "fe80::1": true, "fe80::1%eth0": true, "fd00:ec2::254": true, "100.100.100.200": true,
		"192.0.0.192": true, "fd20:ce::254": true, "64:ff9b:1::a9fe:a9fe": true, "::a9fe:a9fe": true, "2001:0:4136:e378:8000:63bf:5601:5601": true,
		"168.63.129.16": true, "0.0.0.0": true, "::": true, "224.0.0.1": true, "ff02::1": true, "255.255.255.255": true,
		"127.0.0.1": false, "::1": false, "10.0.0.5": false, "192.0.2.1": false, "2001:db8::1": false, "64:ff9b::c000:201": false, "2001:0:4136:e378:8000:63bf:3fff:fdd2": false,
	} {
		err := egress.Check(netip.MustParseAddr(address))
		if (err != nil) != refused {
			t.Errorf("Check(%s) = %v, want refused: %v", address, err, refused)
		}
		if err != nil && !errors.Is(err, egress.ErrRefused) {
			t.Errorf("Check(%s): %v does not match ErrRefused", address, err)
		}
	}
}

func TestLoopback(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST.": true, "127.0.0.1": true, "127.8.8.8": true, "::1": true, "[::1]": true, "::ffff:127.0.0.1": true,
		"localhost.example.com": false, "127.0.0.1.nip.example": false, "10.0.0.1": false, "": false,
	} {
		if got := egress.Loopback(host); got != want {
			t.Errorf("Loopback(%q) = %v, want %v", host, got, want)
		}
	}
}

// resolver answers each lookup with the next list of addresses, the last one for ever.
type resolver struct{ answers [][]netip.Addr }

func (r *resolver) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	a := r.answers[0]
	if len(r.answers) > 1 {
		r.answers = r.answers[1:]
	}
	return a, nil
}

func TestDialer_Rebinding(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	here, metadata := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("169.254.169.254")

	d := &egress.Dialer{Resolver: &resolver{[][]netip.Addr{{here}, {metadata}}}}
	c, err := d.DialContext(t.Context(), "tcp", net.JoinHostPort("api.example.com", port))
	if err != nil {
		t.Fatalf("the first lookup was harmless, yet: %v", err)
	}
	if got := c.RemoteAddr().String(); got != listener.Addr().String() {
		t.Errorf("connected to %s, not to what was resolved and checked", got)
	}
	_ = c.Close()
	if _, err = d.DialContext(t.Context(), "tcp", net.JoinHostPort("api.example.com", port)); !errors.Is(err, egress.ErrRefused) {
		t.Errorf("after rebinding: %v, want ErrRefused", err)
	}

	mixed := &egress.Dialer{Resolver: &resolver{[][]netip.Addr{{here, metadata}}}}
	if _, err = mixed.DialContext(t.Context(), "tcp", net.JoinHostPort("api.example.com", port)); !errors.Is(err, egress.ErrRefused) {
		t.Errorf("a name with one refused address: %v, want ErrRefused", err)
	}
}
