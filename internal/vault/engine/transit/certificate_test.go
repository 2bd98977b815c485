package transit_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/transit"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical/logicaltest"
)

// authority issues certificates.
type authority struct {
	private *ecdsa.PrivateKey
	self    *x509.Certificate
}

func newAuthority(t *testing.T) *authority {
	a := &authority{private: must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "root"}, IsCA: true, BasicConstraintsValid: true}
	der := must[[]byte](t)(x509.CreateCertificate(rand.Reader, template, template, a.private.Public(), a.private))
	a.self = must[*x509.Certificate](t)(x509.ParseCertificate(der))
	return a
}

func (a *authority) issue(t *testing.T, public crypto.PublicKey) string {
	template := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "leaf"}}
	return certPEM(must[[]byte](t)(x509.CreateCertificate(rand.Reader, template, a.self, public, a.private)))
}

func certPEM(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	m := logicaltest.New(t, transit.New(), nil)
	a := newAuthority(t)
	template := must[[]byte](t)(x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "app"},
		DNSNames: []string{"app.example"}}, a.private))
	for _, kind := range []string{"ecdsa-p256", "ed25519", "rsa-2048"} {
		m.Must(t, logical.Update, "keys/"+kind, fmt.Sprintf(`{"type":%q}`, kind))
		body := fmt.Sprintf(`{"csr":%q}`, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: template}))
		text := object(t, m, logical.Update, "keys/"+kind+"/csr", body)["csr"].(string)
		block, _ := pem.Decode([]byte(text))
		request := must[*x509.CertificateRequest](t)(x509.ParseCertificateRequest(block.Bytes))
		if err := request.CheckSignature(); err != nil || request.Subject.CommonName != "app" || len(request.DNSNames) != 1 {
			t.Errorf("%s: request for %v, %v", kind, request.Subject, err)
		}
		chain := a.issue(t, request.PublicKey) + certPEM(a.self.Raw)
		m.Must(t, logical.Update, "keys/"+kind+"/set-certificate", fmt.Sprintf(`{"certificate_chain":%q}`, chain))
		got := object(t, m, logical.Read, "export/certificate-chain/"+kind, "")["keys"].(map[string]any)["1"]
		if got != strings.TrimSpace(chain) {
			t.Errorf("%s: another chain", kind)
		}
		shown := object(t, m, logical.Read, "keys/"+kind, "")["keys"].(map[string]any)["1"].(map[string]any)["certificate_chain"]
		if shown != strings.TrimSpace(chain) {
			t.Errorf("%s: another chain is shown", kind)
		}
		m.Refused(t, logical.Update, "keys/"+kind+"/set-certificate", fmt.Sprintf(`{"certificate_chain":%q,"version":2}`, chain), 400, "no such key version")
	}
	otherEC := a.issue(t, a.private.Public())
	otherEd := a.issue(t, ed25519.NewKeyFromSeed(make([]byte, 32)).Public())
	root := certPEM(a.self.Raw)
	for _, test := range []struct {
		chain  string
		status int
		text   string
	}{
		{otherEC, 500, "leaf certificate public key does not match the selected key version"},
		{otherEd, 400, "does not match the transit key type 'ecdsa-p256'"},
		{root, 400, "certificate in the first element is not a valid leaf certificate"},
		{otherEC + otherEC, 400, "certificate in the last element is not a valid CA certificate"},
		{otherEC + otherEC + root, 400, "could not validate if there is only one leaf certificate"},
		{certPEM([]byte("x")), 400, "could not parse a certificate in the certificate chain"},
	} {
		m.Refused(t, logical.Update, "keys/ecdsa-p256/set-certificate", fmt.Sprintf(`{"certificate_chain":%q}`, test.chain), test.status, test.text)
	}
}
