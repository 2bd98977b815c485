package transit

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func certificateRequestRoute() *logical.Route {
	return &logical.Route{
		Pattern: "keys/:name/csr",
		Fields: []logical.Field{
			nameField,
			{Name: "version", Type: logical.Int, Help: "The version to sign with; the latest if left out."},
			{Name: "csr", Type: logical.String, Help: "A certificate request in PEM whose contents are taken over; an empty one if left out."},
		},
		Ops:      map[logical.Operation]logical.Handler{logical.Update: certificateRequest},
		Synopsis: "Make a certificate request for a key",
	}
}

func certificateRoute() *logical.Route {
	return &logical.Route{
		Pattern: "keys/:name/set-certificate",
		Fields: []logical.Field{
			nameField,
			{Name: "version", Type: logical.Int, Help: "The version that the certificate is for; the latest if left out."},
			{Name: "certificate_chain", Type: logical.String, Help: "Certificates in PEM, the key's own first."},
		},
		Ops:      map[logical.Operation]logical.Handler{logical.Update: setCertificate},
		Synopsis: "Keep a certificate chain with a key",
	}
}

// certifiable says why a key can have no certificates.
func (k *key) certifiable() error {
	if !k.Type.signs() {
		return logical.Invalid("key type '%s' does not support signing", k.Type)
	}
	if k.Derived {
		return logical.Invalid("operation not supported for keys with derivation enabled")
	}
	return nil
}

func (k *key) chosen(d logical.Data) (*version, error) {
	if d.Has("version") {
		return k.version(d.Int("version"))
	}
	return k.version(k.LatestVersion)
}

func noKeyNamed(r *logical.Request) *logical.Error {
	return logical.Invalid("key with provided name '%s' not found", r.Params.Get("name"))
}

func certificateRequest(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	k, err := named(ctx, r)
	if err != nil {
		return nil, err
	}
	if k == nil {
		return nil, noKeyNamed(r)
	}
	if err := k.certifiable(); err != nil {
		return nil, err
	}
	template := &x509.CertificateRequest{}
	if text := r.Data.String("csr"); text != "" {
		block, _ := pem.Decode([]byte(text))
		if block == nil {
			return nil, logical.Invalid("could not decode PEM CSR")
		}
		if template, err = x509.ParseCertificateRequest(block.Bytes); err != nil {
			return nil, logical.Invalid("%s", err)
		}
	}
	v, err := k.chosen(r.Data)
	if err != nil {
		return nil, logical.Invalid("could not create the csr: %s", itemText(err))
	}
	if k.SoftDeleted {
		return nil, errSoftDeleted
	}
	if v.lacksPrivate() {
		return nil, logical.Invalid("could not create the csr: private key not imported for key version selected")
	}
	private, err := v.private()
	if err != nil {
		return nil, err
	}
	template.Signature, template.SignatureAlgorithm = nil, x509.UnknownSignatureAlgorithm
	der, err := x509.CreateCertificateRequest(rand.Reader, template, private)
	if err != nil {
		return nil, fault("could not create the csr: could not create the CSR: %s", err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
	return &logical.Response{Data: map[string]any{"name": k.Name, "type": k.Type.String(), "csr": text}}, nil
}

func setCertificate(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	text := r.Data.String("certificate_chain")
	k, err := change(ctx, r, noKeyNamed(r), func(k *key) (bool, error) {
		if err := k.certifiable(); err != nil {
			return false, err
		}
		chain, err := parseChain(text)
		if err != nil {
			return false, logical.Invalid("%s", err)
		}
		v, err := k.chosen(r.Data)
		if err == nil {
			err = k.certify(v, chain)
		}
		if err == nil {
			return true, nil
		}
		return false, logical.Fail(logical.StatusOf(err), "failed to persist certificate chain: %s", itemText(err))
	})
	if err != nil {
		return nil, err
	}
	return &logical.Response{Data: map[string]any{"name": k.Name, "type": k.Type.String(), "certificate_chain": text}}, nil
}

// parseChain reads certificates in PEM; blocks of other kinds are passed over.
func parseChain(text string) ([]*x509.Certificate, error) {
	var chain []*x509.Certificate
	for rest := bytes.TrimSpace([]byte(text)); len(rest) > 0; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, errors.New("could not decode a PEM block in the certificate chain")
		}
		if !strings.HasSuffix(block.Type, "CERTIFICATE") {
			continue
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("could not parse a certificate in the certificate chain: %w", err)
		}
		chain = append(chain, certificate)
	}
	if len(chain) == 0 {
		return nil, errors.New("provided certificate chain did not contain any valid PEM encoded certificate")
	}
	return chain, nil
}

// certify takes a chain over if its first certificate is for the version.
func (k *key) certify(v *version, chain []*x509.Certificate) error {
	isCA := func(c *x509.Certificate) bool { return c.BasicConstraintsValid && c.IsCA }
	last := len(chain) - 1
	switch {
	case isCA(chain[0]):
		return logical.Invalid("certificate in the first element is not a valid leaf certificate")
	case last > 0 && !isCA(chain[last]):
		return logical.Invalid("certificate in the last element is not a valid CA certificate")
	}
	for i := 1; i < last; i++ {
		if !isCA(chain[i]) {
			return logical.Invalid("could not validate if there is only one leaf certificate in the provided chain")
		}
	}
	leaf := chain[0]
	algorithm := x509.Ed25519
	switch {
	case k.Type.isRSA():
		algorithm = x509.RSA
	case k.Type.isECDSA():
		algorithm = x509.ECDSA
	}
	if leaf.PublicKeyAlgorithm != algorithm {
		return logical.Invalid("could not validate key match between leaf certificate key and key entry in transit: provided leaf "+
			"certificate public key algorithm '%s' does not match the transit key type '%s'", leaf.PublicKeyAlgorithm, k.Type)
	}
	public, err := v.public()
	if err != nil {
		return err
	}
	mine, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return err
	}
	theirs, err := x509.MarshalPKIXPublicKey(leaf.PublicKey)
	if err != nil {
		return err
	}
	if !bytes.Equal(mine, theirs) {
		return fault("leaf certificate public key does not match the selected key version")
	}
	v.Certificates = nil
	for _, certificate := range chain {
		v.Certificates = append(v.Certificates, certificate.Raw)
	}
	return nil
}
