package cli

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/broker"
	"github.com/ArcadeLabsInc/zvault/internal/broker/mysql"
	"github.com/ArcadeLabsInc/zvault/internal/broker/postgres"
	"github.com/ArcadeLabsInc/zvault/internal/broker/redis"
	"github.com/ArcadeLabsInc/zvault/internal/broker/sshagent"
	"github.com/ArcadeLabsInc/zvault/internal/egress"
	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/redact"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
	"github.com/ArcadeLabsInc/zvault/internal/shield/rule"
)

// brokers log in for the program: one for each secret that is the URL of a database, and an SSH agent for its keys.
type brokers struct {
	variables map[string]string // what the program gets instead, by name
	cancel    context.CancelFunc
	serving   sync.WaitGroup
	dir       string // of the agent's socket
	failed    func(secret string, err error)
}

// databases are the schemes of URLs that are brokered, with the usual port and the name of the parameter for TLS.
func databases(scheme string) (handle broker.Handler, port, mode string) {
	switch scheme {
	case "postgres", "postgresql":
		return postgres.Handle, "5432", "sslmode"
	case "mysql", "mariadb":
		return mysql.Handle, "3306", "ssl-mode"
	case "redis", "rediss":
		return redis.Handle, "6379", ""
	}
	return nil, "", ""
}

// broker starts the brokers.
func (s *shielded) broker(ctx context.Context, masks *redact.Matcher) error {
	ctx, cancel := context.WithCancel(ctx)
	s.brokers = &brokers{variables: map[string]string{}, cancel: cancel, failed: func(name string, err error) {
		s.app.say("zvault: shield: %s: %v", name, err)
	}}
	var keys []sshagent.Key
	for _, v := range s.resolved {
		raw := v.Value.Reveal()
		if isPrivateKey(raw) {
			if _, err := sshagent.New(ctx, []sshagent.Key{{Secret: v.Name, PEM: v.Value}}, nil); err == nil {
				keys = append(keys, sshagent.Key{Secret: v.Name, PEM: v.Value})
			}
			continue
		}
		u, err := url.Parse(string(raw))
		if err != nil || u.User == nil {
			continue
		}
		handle, port, mode := databases(u.Scheme)
		password, has := u.User.Password()
		if handle == nil || !has || password == "" || u.Hostname() == "" {
			continue
		}
		if err := s.brokerDatabase(ctx, v.Name, u, port, mode, masks, handle); err != nil {
			return fmt.Errorf("starting the broker for %s: %w", v.Name, err)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	return s.brokerKeys(ctx, keys)
}

func isPrivateKey(raw []byte) bool {
	return strings.HasPrefix(string(raw), "-----BEGIN ") && strings.Contains(string(raw), "PRIVATE KEY-----")
}

func (s *shielded) brokerDatabase(ctx context.Context, name string, u *url.URL, port, mode string, masks *redact.Matcher, handle broker.Handler) error {
	if u.Port() != "" {
		port = u.Port()
	}
	password, _ := u.User.Password()
	login := broker.Login{
		Secret: name, Address: net.JoinHostPort(u.Hostname(), port), User: u.User.Username(), Password: secret.Of(password),
		Database: strings.TrimPrefix(u.Path, "/"),
	}
	var err error
	if login.TLS, err = protection(u, mode); err != nil {
		return err
	}
	token := make([]byte, 16)
	if _, err := rand.Read(token); err != nil {
		return err
	}
	local := "zvph" + hex.EncodeToString(token)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return errors.Join(errors.New("the port is no number"), l.Close())
	}
	use := grant.Use{
		Project: s.scope.Project, Env: s.scope.Slug, Secrets: []string{name}, Tool: rule.Tool, Scheme: u.Scheme, Host: strings.ToLower(u.Hostname()),
		Port: number, In: map[string]string{name: "login"},
	}
	dialer := &egress.Dialer{}
	o := &broker.Options{
		Login: login, Local: secret.Of(local), Dial: dialer.DialContext, Masks: masks,
		Authorize: func(ctx context.Context) error { return s.permitLogin(ctx, use) },
		Failed:    func(err error) { s.brokers.failed(name, err) },
	}
	s.brokers.serving.Go(func() {
		if err := broker.Serve(ctx, l, o, handle); err != nil {
			s.brokers.failed(name, err)
		}
	})
	address := l.Addr().String()
	s.local = append(s.local, address)
	s.brokers.variables[name] = localURL(u, address, local, mode)
	return nil
}

// localURL is what the program connects to: the same database, by way of the broker, without TLS on this machine.
func localURL(u *url.URL, address, password, mode string) string {
	c := *u
	c.Host, c.User = address, url.UserPassword(u.User.Username(), password)
	c.Scheme = strings.Replace(c.Scheme, "rediss", "redis", 1)
	q := c.Query()
	for _, name := range []string{"sslmode", "sslrootcert", "sslcert", "sslkey", "ssl-mode", "ssl-ca", "tls", "ssl"} {
		q.Del(name)
	}
	if mode == "sslmode" {
		q.Set(mode, "disable")
	}
	c.RawQuery = q.Encode()
	return c.String()
}

// protection is how the connection to a database is protected, by what its URL says. Without a word on it, TLS is used except on
// this machine, and whose certificate it is is not checked, as the usual clients do; verify-full checks it.
func protection(u *url.URL, mode string) (*tls.Config, error) {
	q := u.Query()
	config := &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}
	if path := first(q.Get("sslrootcert"), q.Get("ssl-ca")); path != "" {
		pem, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("reading the root certificate: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate", path)
		}
	}
	if u.Scheme == "rediss" {
		return config, nil
	}
	if u.Scheme == "redis" {
		return nil, nil
	}
	wanted := strings.ToLower(first(q.Get(mode), q.Get("tls")))
	switch wanted {
	case "verify-full", "verify_identity", "verify-identity", "true":
		return config, nil
	case "verify-ca", "verify_ca":
		config.InsecureSkipVerify = true
		config.VerifyConnection = func(c tls.ConnectionState) error { return vouched(c, config.RootCAs) }
		return config, nil
	case "disable", "disabled", "false":
		return nil, nil
	case "":
		if egress.Loopback(u.Hostname()) {
			return nil, nil
		}
	}
	config.InsecureSkipVerify = true // the URL asks for encryption, and not whom it is with
	return config, nil
}

// vouched checks that a certificate of the roots signed the server's, whatever its name.
func vouched(c tls.ConnectionState, roots *x509.CertPool) error {
	between := x509.NewCertPool()
	for _, one := range c.PeerCertificates[1:] {
		between.AddCert(one)
	}
	_, err := c.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between})
	return err
}

// permitLogin asks for a login and writes it down. The address is the secret's own, so a secret without rules may be used there;
// one with rules of `zvault secret allow` only as they say.
func (s *shielded) permitLogin(ctx context.Context, u grant.Use) error {
	if len(s.stored[u.Secrets[0]]) > 0 {
		if err := s.gate().Authorize(ctx, u); err != nil {
			return err
		}
	}
	c := s.app.caller()
	entry := audit.Entry{
		Actor: c.Actor, Client: c.Client, Action: "secret.use", Project: s.scope.Project, Environment: s.scope.Slug, Request: s.run, Outcome: audit.OK,
		Keys: u.Secrets, Reason: fmt.Sprintf("tool=%s login %s://%s:%d", u.Tool, u.Scheme, u.Host, u.Port),
	}
	entry.Client.Name = "zvault shield"
	if s.flags.agent != "" {
		entry.Actor = audit.Actor{Kind: audit.Assistant, ID: c.Actor.ID + "/" + s.flags.agent, Name: s.flags.agent}
	}
	return s.app.vault.Audit.Record(ctx, entry)
}

// brokerKeys starts an SSH agent for the program.
func (s *shielded) brokerKeys(ctx context.Context, keys []sshagent.Key) error {
	agent, err := sshagent.New(ctx, keys, func(ctx context.Context, name string) error {
		return s.permitLogin(ctx, grant.Use{
			Project: s.scope.Project, Env: s.scope.Slug, Secrets: []string{name}, Tool: rule.Tool, Scheme: "ssh", In: map[string]string{name: "login"},
		})
	})
	if err != nil {
		return err
	}
	if s.brokers.dir, err = os.MkdirTemp("", "zvault-agent-"); err != nil {
		return fmt.Errorf("making a folder for the SSH agent: %w", err)
	}
	path := filepath.Join(s.brokers.dir, "agent")
	l, err := net.Listen("unix", path)
	if err != nil {
		return fmt.Errorf("starting the SSH agent: %w", err)
	}
	o := &broker.Options{Failed: func(err error) { s.brokers.failed("the SSH agent", err) }}
	s.brokers.serving.Go(func() {
		err := broker.Serve(ctx, l, o, func(_ context.Context, c net.Conn, _ *broker.Options) error { return agent.Handle(c) })
		if err != nil {
			s.brokers.failed("the SSH agent", err)
		}
	})
	s.sockets = append(s.sockets, path)
	s.brokers.variables["SSH_AUTH_SOCK"] = path
	return nil
}

// close ends all brokers and the connections through them.
func (b *brokers) close() error {
	if b == nil {
		return nil
	}
	b.cancel()
	b.serving.Wait()
	if b.dir == "" {
		return nil
	}
	return os.RemoveAll(b.dir)
}
