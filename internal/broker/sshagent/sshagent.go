// Package sshagent is an SSH agent whose keys are in the vault: programs have it sign, and never see a key. The protocol is
// draft-ietf-sshm-ssh-agent, spoken by golang.org/x/crypto/ssh/agent.
package sshagent

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// Key is one key of the vault.
type Key struct {
	Secret string       // the name of the secret that holds it
	PEM    secret.Value // without a passphrase
}

// ErrClosed is what the agent answers to anything but listing and signing.
var ErrClosed = errors.New("the keys of this agent are kept elsewhere: it lists them and signs with them, and nothing else")

// Agent answers for keys of the vault. It is safe for concurrent use.
type Agent struct {
	keys []held
	// authorize is asked, and the audit log written, before each signature.
	authorize func(ctx context.Context, secret string) error
	ctx       context.Context //nolint:containedctx // the library's interface has none
}

type held struct {
	secret string
	signer ssh.AlgorithmSigner
}

var _ agent.ExtendedAgent = (*Agent)(nil)

// New makes an agent of keys. What is no private key is named by the error, and not shown.
func New(ctx context.Context, keys []Key, authorize func(ctx context.Context, secret string) error) (*Agent, error) {
	a := &Agent{authorize: authorize, ctx: ctx}
	for _, k := range keys {
		signer, err := ssh.ParsePrivateKey(k.PEM.Reveal())
		var locked *ssh.PassphraseMissingError
		switch {
		case errors.As(err, &locked):
			return nil, fmt.Errorf("%s is an SSH key under a passphrase: the vault protects it already, store it without", k.Secret)
		case err != nil:
			return nil, fmt.Errorf("%s is no SSH private key", k.Secret)
		}
		s, ok := signer.(ssh.AlgorithmSigner)
		if !ok {
			return nil, fmt.Errorf("%s is an SSH key of a kind that cannot sign here", k.Secret)
		}
		a.keys = append(a.keys, held{k.Secret, s})
	}
	return a, nil
}

// Handle serves one connection of a program.
func (a *Agent) Handle(c net.Conn) error {
	if err := agent.ServeAgent(a, c); !errors.Is(err, io.EOF) { // it returns at the end of the connection only
		return err
	}
	return nil
}

// List implements agent.Agent.
func (a *Agent) List() ([]*agent.Key, error) {
	all := make([]*agent.Key, len(a.keys))
	for i, k := range a.keys {
		p := k.signer.PublicKey()
		all[i] = &agent.Key{Format: p.Type(), Blob: p.Marshal(), Comment: "zvault " + k.secret}
	}
	return all, nil
}

// Sign implements agent.Agent.
func (a *Agent) Sign(key ssh.PublicKey, data []byte) (*ssh.Signature, error) {
	return a.SignWithFlags(key, data, 0)
}

// SignWithFlags implements agent.ExtendedAgent.
func (a *Agent) SignWithFlags(key ssh.PublicKey, data []byte, flags agent.SignatureFlags) (*ssh.Signature, error) {
	wanted := string(key.Marshal())
	for _, k := range a.keys {
		if string(k.signer.PublicKey().Marshal()) != wanted {
			continue
		}
		if err := a.authorize(a.ctx, k.secret); err != nil {
			return nil, err
		}
		return k.signer.SignWithAlgorithm(rand.Reader, data, algorithm(key.Type(), flags))
	}
	return nil, errors.New("the agent has no such key")
}

// algorithm is how to sign with a key of a type. SHA-1, which RSA keys sign with unless told otherwise, is not served.
func algorithm(keyType string, flags agent.SignatureFlags) string {
	switch {
	case keyType != ssh.KeyAlgoRSA:
		return keyType
	case flags&agent.SignatureFlagRsaSha256 != 0:
		return ssh.KeyAlgoRSASHA256
	}
	return ssh.KeyAlgoRSASHA512
}

// Signers implements agent.Agent.
func (a *Agent) Signers() ([]ssh.Signer, error) { return nil, ErrClosed }

// Add implements agent.Agent.
func (a *Agent) Add(agent.AddedKey) error { return ErrClosed }

// Remove implements agent.Agent.
func (a *Agent) Remove(ssh.PublicKey) error { return ErrClosed }

// RemoveAll implements agent.Agent.
func (a *Agent) RemoveAll() error { return ErrClosed }

// Lock implements agent.Agent.
func (a *Agent) Lock([]byte) error { return ErrClosed }

// Unlock implements agent.Agent.
func (a *Agent) Unlock([]byte) error { return ErrClosed }

// Extension implements agent.ExtendedAgent. session-bind, which newer clients send first, is taken note of by saying that it is
// not supported, which they accept.
func (a *Agent) Extension(string, []byte) ([]byte, error) { return nil, agent.ErrExtensionUnsupported }
