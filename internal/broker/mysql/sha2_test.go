package mysql

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // what the protocol wants
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/broker"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// No MySQL 8 can be had where the tests run, and MariaDB has no caching_sha2_password: the server's side of it is played here,
// after "Caching_sha2_password information" in MySQL's source documentation.
type sha2Server struct {
	password string
	fast     bool // the server has the password in its cache
	asks     bool // the greeting names another plugin first
}

func (s *sha2Server) serve(c net.Conn) error {
	p := &packets{c: c}
	nonce, err := newNonce()
	if err != nil {
		return err
	}
	g := &greeting{
		version: "8.4.0", thread: 7, capabilities: capProtocol41 | capSecure | capPluginAuth | capConnectWithDB | capConnectAttrs | capLenencAuth,
		charset: 255, status: 2, extended: make([]byte, 10), nonce: nonce, plugin: pluginSHA2,
	}
	if s.asks {
		g.plugin = "authentication_kerberos_client"
	}
	if err := p.write(g.encode()); err != nil {
		return err
	}
	raw, err := p.read()
	if err != nil {
		return err
	}
	r, err := parseResponse(raw)
	if err != nil {
		return err
	}
	proof := r.proof
	if s.asks {
		ask := append(append(append([]byte{packetSwitch}, pluginSHA2...), 0), nonce...)
		if err := p.write(append(ask, 0)); err != nil {
			return err
		}
		if proof, err = p.read(); err != nil {
			return err
		}
	}
	if s.fast {
		if !proves(pluginSHA2, proof, []byte(s.password), nonce) || r.user != "app" || r.database != "shop" {
			return p.write(failure(1045, "28000", "Access denied"))
		}
		if err := p.write([]byte{packetMore, sha2FastDone}); err != nil {
			return err
		}
		return p.write([]byte{packetOK, 0, 0, 2, 0, 0, 0})
	}
	return s.full(p, nonce)
}

// full asks for the password itself, hidden under a key as there is no TLS.
func (s *sha2Server) full(p *packets, nonce []byte) error {
	if err := p.write([]byte{packetMore, sha2Full}); err != nil {
		return err
	}
	asked, err := p.read()
	if err != nil || len(asked) != 1 || asked[0] != sha2PublicKey {
		return errors.Join(err, errMalformed)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return err
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	if err := p.write(append([]byte{packetMore}, block...)); err != nil {
		return err
	}
	hidden, err := p.read()
	if err != nil {
		return err
	}
	plain, err := rsa.DecryptOAEP(sha1.New(), nil, key, hidden, nil) //nolint:gosec // what the protocol wants
	if err != nil {
		return err
	}
	for i := range plain {
		plain[i] ^= nonce[i%len(nonce)]
	}
	if string(plain) != s.password+"\x00" {
		return p.write(failure(1045, "28000", "Access denied"))
	}
	return p.write([]byte{packetOK, 0, 0, 2, 0, 0, 0})
}

func TestHandle_SHA2(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]sha2Server{
		"cached": {password: "s3cret", fast: true}, "asked for": {password: "s3cret"}, "after another": {password: "s3cret", asks: true, fast: true},
		"wrong": {password: "other", fast: true}, "wrong in full": {password: "other"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program, toProgram := net.Pipe()
			server, toServer := net.Pipe()
			go func() {
				_ = s.serve(server) // what goes wrong shows on the other side
				_ = server.Close()
			}()
			o := &broker.Options{
				Login:     broker.Login{Address: "db:3306", User: "app", Password: secret.Of("s3cret"), Database: "shop"},
				Local:     secret.Of("local-password"),
				Dial:      func(context.Context, string, string) (net.Conn, error) { return toServer, nil },
				Authorize: func(context.Context) error { return nil },
			}
			ended := make(chan error, 1)
			go func() { ended <- Handle(t.Context(), toProgram, o) }()
			p := &packets{c: program}
			raw, err := p.read()
			if err != nil {
				t.Fatal(err)
			}
			g, err := parseGreeting(raw)
			if err != nil || g.plugin != pluginSHA2 || g.version != "8.4.0" {
				t.Fatalf("greeting %+v, %v", g, err)
			}
			r := &response{
				capabilities: g.capabilities | capConnectAttrs, maxPacket: 1 << 24, charset: 45, reserved: make([]byte, 23), user: "anyone",
				proof: sha2Proof([]byte("local-password"), g.nonce), database: "x", plugin: pluginSHA2, attributes: []byte{0},
			}
			if err := p.write(r.encode()); err != nil {
				t.Fatal(err)
			}
			if done, err := p.read(); err != nil || len(done) != 2 || done[1] != sha2FastDone {
				t.Fatalf("% x, %v", done, err)
			}
			last, err := p.read()
			if err != nil {
				t.Fatal(err)
			}
			if ok := s.password == "s3cret"; ok != (last[0] == packetOK) || !ok && last[0] != packetErr {
				t.Errorf("the login ends with % x", last)
			}
			_ = program.Close()
			<-ended
		})
	}
}

func FuzzParse(f *testing.F) {
	g := &greeting{version: "8", nonce: make([]byte, nonceSize), extended: make([]byte, 10), plugin: "p", capabilities: capProtocol41 | capPluginAuth}
	f.Add(g.encode())
	r := &response{capabilities: capProtocol41 | capSecure | capPluginAuth, reserved: make([]byte, 23), user: "u", plugin: "p"}
	f.Add(r.encode())
	f.Fuzz(func(t *testing.T, raw []byte) {
		if g, err := parseGreeting(raw); err == nil {
			again, err := parseGreeting(g.encode())
			if err != nil || again.version != g.version || again.plugin != g.plugin || string(again.nonce) != string(g.nonce) {
				t.Fatalf("%+v reads again as %+v, %v", g, again, err)
			}
		}
		if r, err := parseResponse(raw); err == nil && len(r.proof) <= 250 {
			if again, err := parseResponse(r.encode()); err != nil || again.user != r.user || string(again.proof) != string(r.proof) {
				t.Fatalf("%+v reads again as %+v, %v", r, again, err)
			}
		}
	})
}
