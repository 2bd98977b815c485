package testservice

import (
	"context"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"testing"
)

// SSH starts an OpenSSH server that lets this very user in with one key, a line of authorized_keys.
func SSH(t testing.TB, authorized string) *Server {
	t.Helper()
	sshd := program(t, "openssh-server", "/usr/sbin/sshd")
	keygen := program(t, "openssh-client", "/usr/bin/ssh-keygen")
	dir := folder(t)
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Host: "127.0.0.1", Port: freePort(t), User: me.Username}
	host := filepath.Join(dir, "host_key")
	run(t, exec.Command(keygen, "-q", "-t", "ed25519", "-N", "", "-f", host))
	keys := write(t, dir, "authorized_keys", authorized)
	if me.Uid == "0" { // where sshd gives up its rights, which must be there
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil { //nolint:gosec // as the package makes it
			t.Fatal(err)
		}
	}
	config := write(t, dir, "sshd_config", "Port "+strconv.Itoa(s.Port), "ListenAddress 127.0.0.1", "HostKey "+host, "AuthorizedKeysFile "+keys,
		"PidFile none", "StrictModes no", "UsePAM no", "PasswordAuthentication no", "KbdInteractiveAuthentication no", "PermitRootLogin yes")
	start(t, dir, exec.Command(sshd, "-D", "-e", "-f", config), func(ctx context.Context) error {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.Address())
		if err != nil {
			return err
		}
		return c.Close()
	})
	return s
}
