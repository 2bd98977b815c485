package sshagent_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/ArcadeLabsInc/zvault/internal/broker/sshagent"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
	"github.com/ArcadeLabsInc/zvault/internal/testservice"
)

// newKey makes a key, as the vault holds it and as authorized_keys does.
func newKey(t *testing.T, kind string) (private secret.Value, public string) {
	t.Helper()
	var key any
	var err error
	if kind == "rsa" {
		key, err = rsa.GenerateKey(rand.Reader, 3072)
	} else {
		_, key, err = ed25519.GenerateKey(rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return secret.New(pem.EncodeToMemory(block)), string(ssh.MarshalAuthorizedKey(signer.PublicKey()))
}

// gate remembers who was asked about, and refuses from a point on.
type gate struct {
	mu      sync.Mutex
	asked   []string
	refuses bool
}

var errRefused = errors.New("not permitted")

func (g *gate) authorize(_ context.Context, name string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked = append(g.asked, name)
	if g.refuses {
		return errRefused
	}
	return nil
}

// listen serves an agent on a socket.
func listen(t *testing.T, a *sshagent.Agent) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "agent")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_ = a.Handle(c) // how it ends is the client's affair
				_ = c.Close()
			}()
		}
	}()
	return path
}

// Real ssh logs in to a real sshd with keys that it never sees.
func TestAgent_SSH(t *testing.T) {
	t.Parallel()
	first, firstPublic := newKey(t, "ed25519")
	second, secondPublic := newKey(t, "rsa")
	g := &gate{}
	a, err := sshagent.New(t.Context(), []sshagent.Key{{Secret: "DEPLOY_KEY", PEM: first}, {Secret: "OLD_KEY", PEM: second}}, g.authorize)
	if err != nil {
		t.Fatal(err)
	}
	socket := listen(t, a)
	for name, public := range map[string]string{"DEPLOY_KEY": firstPublic, "OLD_KEY": secondPublic} {
		s := testservice.SSH(t, public)
		cmd := exec.Command("ssh", "-F", "none", "-p", fmt.Sprint(s.Port), "-o", "IdentityAgent="+socket, "-o", "IdentitiesOnly=no",
			"-o", "IdentityFile=none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "BatchMode=yes",
			s.User+"@"+s.Host, "echo signed in")
		out, err := cmd.CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != "signed in" {
			t.Errorf("ssh with %s prints %q, %v", name, got, err)
		}
	}
	s := testservice.SSH(t, firstPublic)
	cloneOverSSH(t, s, socket)
	if got := strings.Join(g.asked, " "); !strings.Contains(got, "DEPLOY_KEY") || !strings.Contains(got, "OLD_KEY") {
		t.Errorf("asked for %q", got)
	}
	out, err := exec.Command("env", "SSH_AUTH_SOCK="+socket, "ssh-add", "-l").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "zvault DEPLOY_KEY") {
		t.Errorf("ssh-add -l prints %q, %v", out, err)
	}
	if err := exec.Command("env", "SSH_AUTH_SOCK="+socket, "ssh-add", "-D").Run(); err == nil {
		t.Error("a program may remove the keys")
	}
}

// cloneOverSSH has git fetch a repository from a server.
func cloneOverSSH(t *testing.T, s *testservice.Server, socket string) {
	t.Helper()
	dir := t.TempDir()
	script := `git init -q "$1/there" && git -C "$1/there" -c user.name=x -c user.email=x@example.com commit -q --allow-empty -m fetched &&
		git clone -q "$2$1/there" "$1/here" && git -C "$1/here" log --format=%s`
	cmd := exec.Command("sh", "-c", script, "sh", dir, "ssh://"+s.User+"@"+s.Address())
	cmd.Env = append(os.Environ(), "SSH_AUTH_SOCK="+socket, "GIT_CONFIG_GLOBAL="+os.DevNull,
		"GIT_SSH_COMMAND=ssh -F none -o IdentityFile=none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o BatchMode=yes")
	if out, err := cmd.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != "fetched" {
		t.Errorf("git over SSH prints %q, %v", out, err)
	}
}

func TestAgent_Refuses(t *testing.T) {
	t.Parallel()
	key, _ := newKey(t, "ed25519")
	g := &gate{refuses: true}
	a, err := sshagent.New(t.Context(), []sshagent.Key{{Secret: "K", PEM: key}}, g.authorize)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := a.List()
	if err != nil || len(keys) != 1 {
		t.Fatalf("%d keys, %v", len(keys), err)
	}
	if _, err := a.Sign(keys[0], []byte("data")); !errors.Is(err, errRefused) {
		t.Errorf("signing: %v, want that it is refused", err)
	}
	other, err := sshagent.New(t.Context(), nil, g.authorize)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Sign(keys[0], []byte("data")); err == nil || errors.Is(err, errRefused) {
		t.Errorf("signing with a key that is not there: %v", err)
	}
	if err := a.Add(agent.AddedKey{}); !errors.Is(err, sshagent.ErrClosed) {
		t.Errorf("adding: %v", err)
	}
	_, err = sshagent.New(t.Context(), []sshagent.Key{{Secret: "K", PEM: secret.Of("not-a-key-at-all")}}, g.authorize)
	if err == nil || strings.Contains(err.Error(), "not-a-key") {
		t.Errorf("what is no key: %v", err)
	}
}
