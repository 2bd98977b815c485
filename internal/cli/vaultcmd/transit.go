package vaultcmd

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/vaultclient"
)

func (h *Host) transitCommands() []*cobra.Command {
	return h.commands(
		importSpec("import", "import", "Bring a key into an engine as a new one"),
		importSpec("import-version", "import_version", "Bring a key into an engine as a new version of one that was imported"))
}

func importSpec(name, action, short string) spec {
	return spec{
		use: name + " MOUNT/keys/NAME KEY [key=value...]", short: short, least: 2, most: -1,
		long: short + ". KEY is base64: of the bytes of a symmetric key, of PKCS #8 for another; @file takes it from a file and - from stdin, which are safer. " +
			"It is wrapped here, for the engine alone, before it is sent. The pairs are sent along: type=rsa-2048.",
		run: func(c *call) error { return c.importKey(action) },
	}
}

func (c *call) importKey(action string) error {
	path, name, ok := strings.Cut(clean(c.args[0]), "/keys/")
	if !ok || name == "" || strings.Contains(name, "/") {
		return usage("%q is not MOUNT/keys/NAME", c.args[0])
	}
	key, err := c.keyMaterial(c.args[1])
	if err != nil {
		return err
	}
	data, err := c.data(2)
	if err != nil {
		return err
	}
	client, err := c.connect()
	if err != nil {
		return err
	}
	public, err := c.wrappingKey(client.Live(), path)
	if err != nil {
		return err
	}
	if data["ciphertext"], err = wrapForImport(public, key); err != nil {
		return broken(err, "wrapping the key")
	}
	if _, err := client.Write(c.ctx, path+"/keys/"+name+"/"+action, data); err != nil {
		return refused(err, "importing the key")
	}
	return c.line("Success! Imported the key at: %s/keys/%s", path, name)
}

// keyMaterial reads the key. What is wrong with it is said without it.
func (c *call) keyMaterial(given string) ([]byte, error) {
	text := given
	var err error
	switch {
	case given == "-":
		text, err = all(c.stdin())
	case strings.HasPrefix(given, "@"):
		var content []byte
		content, err = os.ReadFile(given[1:])
		text = string(content)
	}
	if err != nil {
		return nil, broken(err, "reading the key")
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || len(key) == 0 {
		return nil, usage("reading the key: it is not base64")
	}
	return key, nil
}

// wrappingKey asks the engine for the key that others wrap keys with.
func (c *call) wrappingKey(client *vaultclient.Client, path string) (*rsa.PublicKey, error) {
	s, err := client.Read(c.ctx, path+"/wrapping_key", nil)
	if err != nil {
		return nil, refused(err, "asking for the wrapping key")
	}
	if s == nil {
		return nil, nothing("asking for the wrapping key: there is no transit engine at %s", path)
	}
	text, _ := s.Data["public_key"].(string)
	public, err := parsePublic(text)
	if err != nil {
		return nil, refused(err, "reading the wrapping key")
	}
	return public, nil
}

func parsePublic(text string) (*rsa.PublicKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("it is not PEM")
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	public, ok := parsed.(*rsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("it is a %T, not an RSA key", parsed)
	}
	return public, nil
}

// wrapForImport is the form in which transit takes keys: an AES-256 key of this moment under RSA-OAEP with SHA-256, then the
// key under that one by RFC 5649, together in base64.
func wrapForImport(public *rsa.PublicKey, key []byte) (string, error) {
	moment := make([]byte, 32)
	if _, err := rand.Read(moment); err != nil {
		return "", err
	}
	defer clear(moment)
	outer, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, public, moment, nil)
	if err != nil {
		return "", err
	}
	inner, err := wrapPadded(moment, key)
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(append(outer, inner...)), nil
}
