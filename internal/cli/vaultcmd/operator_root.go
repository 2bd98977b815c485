package vaultcmd

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/pflag"

	"github.com/ArcadeLabsInc/zvault/internal/vaultclient"
)

// rootFlags are those of operator generate-root.
type rootFlags struct {
	init, cancel, status, generate, recovery bool
	decode, otp, pgp, nonce                  string
}

// rootStatus is what sys/generate-root answers, in the order in which it is printed as JSON.
type rootStatus struct {
	Nonce          string `json:"nonce"`
	Started        bool   `json:"started"`
	Progress       int    `json:"progress"`
	Required       int    `json:"required"`
	Complete       bool   `json:"complete"`
	Encoded        string `json:"encoded_token"`
	EncodedRoot    string `json:"encoded_root_token"`
	PGPFingerprint string `json:"pgp_fingerprint"`
	OTP            string `json:"otp"`
	OTPLength      int    `json:"otp_length"`
}

func generateRootSpec() spec {
	var r rootFlags
	return spec{
		use: "generate-root [KEY]", short: "Make a root token from the parts of a server's key", most: 1, format: true,
		long: "Make a root token. Begin with -init, which shows a one-time password, give the parts of the key one by one, and turn what comes out into the token " +
			"with -decode and -otp. A part is asked for if it is not given, and taken from stdin with -.",
		example: "  zvault operator generate-root -init\n  zvault operator generate-root -nonce=NONCE -\n  zvault operator generate-root -decode=ENCODED -otp=OTP",
		flags: func(f *pflag.FlagSet) {
			f.BoolVar(&r.init, "init", false, "begin")
			f.BoolVar(&r.cancel, "cancel", false, "end without a token")
			f.BoolVar(&r.status, "status", false, "show how far it is")
			f.BoolVar(&r.generate, "generate-otp", false, "print a one-time password for -init")
			f.StringVar(&r.decode, "decode", "", "what came out at the end, to be decoded with -otp; - takes it from stdin")
			f.StringVar(&r.otp, "otp", "", "the one-time password")
			f.StringVar(&r.pgp, "pgp-key", "", "file with a PGP key to encrypt the token with, instead of a one-time password")
			f.StringVar(&r.nonce, "nonce", "", "what -init answered; given with each part that is not typed on the terminal")
			f.BoolVar(&r.recovery, "recovery-token", false, "make a token for recovery mode instead")
		},
		run: r.run,
	}
}

func (r *rootFlags) path() string {
	if r.recovery {
		return "sys/generate-recovery-token"
	}
	return "sys/generate-root"
}

func (r *rootFlags) run(c *call) error {
	if r.decode != "" {
		return r.decoded(c)
	}
	client, err := c.connect()
	if err != nil {
		return err
	}
	switch {
	case r.generate:
		return r.makeOTP(c, client)
	case r.cancel:
		if err := c.ask(client, http.MethodDelete, r.path()+"/attempt", nil, &struct{}{}); err != nil {
			return refused(err, "Error canceling root token generation")
		}
		return c.line("Success! Root token generation canceled (if it was started)")
	case r.init:
		return r.begin(c, client)
	case r.status:
		st, err := r.look(c, client)
		if err != nil {
			return err
		}
		return st.print(c)
	}
	return r.provide(c, client)
}

func (r *rootFlags) look(c *call, client *vaultclient.Client) (rootStatus, error) {
	var st rootStatus
	if err := c.ask(client, http.MethodGet, r.path()+"/attempt", nil, &st); err != nil {
		return st, refused(err, "Error getting root generation status")
	}
	return st, nil
}

func (r *rootFlags) begin(c *call, client *vaultclient.Client) error {
	if r.otp != "" && r.pgp != "" {
		return usage("Error initializing: cannot specify both -otp and -pgp-key")
	}
	keys, err := pgpKeys(r.pgp)
	if err != nil {
		return err
	}
	body := map[string]any{"otp": r.otp}
	if len(keys) > 0 {
		body = map[string]any{"pgp_key": keys[0]}
	}
	var st rootStatus
	if err := c.ask(client, http.MethodPut, r.path()+"/attempt", body, &st); err != nil {
		return refused(err, "Error initializing root generation")
	}
	return st.print(c)
}

func (r *rootFlags) provide(c *call, client *vaultclient.Client) error {
	st, err := r.look(c, client.Live())
	if err != nil {
		return err
	}
	if !st.Started {
		return usage("No root generation is in progress. Start one with `zvault operator generate-root -init`; a one-time password of your own has %d characters.", st.OTPLength)
	}
	key, nonce, err := c.part("Unseal Key", "Operation nonce", st.Nonce, r.nonce)
	if err != nil {
		return err
	}
	if err := c.ask(client, http.MethodPut, r.path()+"/update", map[string]any{"key": key, "nonce": nonce}, &st); err != nil {
		return refused(err, "Error posting unseal key")
	}
	return st.print(c)
}

func (st rootStatus) print(c *call) error {
	if c.format != asTable {
		return c.document(st)
	}
	rows := [][]string{
		{"Nonce", st.Nonce}, {"Started", fmt.Sprint(st.Started)}, {"Progress", fmt.Sprintf("%d/%d", st.Progress, st.Required)}, {"Complete", fmt.Sprint(st.Complete)},
	}
	add := func(key, value string) {
		if value != "" {
			rows = append(rows, []string{key, value})
		}
	}
	add("PGP Fingerprint", st.PGPFingerprint)
	if st.Encoded != "" {
		add("Encoded Token", st.Encoded)
	} else {
		add("Encoded Root Token", st.EncodedRoot)
	}
	add("OTP", st.OTP)
	if st.OTP != "" {
		c.warn("Keep the OTP safe: without it what comes out at the end cannot be decoded, and it is not shown again.")
	}
	if st.OTPLength != 0 {
		add("OTP Length", fmt.Sprint(st.OTPLength))
	}
	return c.print(columns(rows))
}

func (r *rootFlags) makeOTP(c *call, client *vaultclient.Client) error {
	st, err := r.look(c, client)
	if err != nil {
		return err
	}
	otp, err := newOTP(st.OTPLength)
	if err != nil {
		return broken(err, "making a one-time password")
	}
	if c.format == asTable {
		return c.bare(otp)
	}
	return c.document(map[string]any{"otp": otp, "otp_length": len(otp)})
}

// newOTP is a random text of letters and digits, each equally likely.
func newOTP(length int) (string, error) {
	if length <= 0 {
		return "", errors.New("the server does not say how long it is to be")
	}
	const signs = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	out := make([]byte, 0, length)
	for random := make([]byte, 64); len(out) < length; {
		if _, err := rand.Read(random); err != nil {
			return "", err
		}
		for _, b := range random {
			if int(b) < 256/len(signs)*len(signs) && len(out) < length {
				out = append(out, signs[int(b)%len(signs)])
			}
		}
	}
	return string(out), nil
}

func (r *rootFlags) decoded(c *call) error {
	if r.otp == "" {
		return usage("Missing otp: use -otp to supply it")
	}
	encoded, err := c.secretInput(r.decode, "Encoded token")
	if err != nil {
		return err
	}
	if encoded == "" {
		return usage("Missing encoded value. When using -decode=\"-\" value must be passed via stdin.")
	}
	token, err := decodeRoot(encoded, r.otp)
	if err != nil {
		return broken(err, "Error decoding root token")
	}
	if c.format == asTable {
		return c.bare(token)
	}
	return c.document(map[string]string{"token": token})
}

// decodeRoot undoes what the server does at the end: exclusive or with the password, then base64 without padding.
func decodeRoot(encoded, otp string) (string, error) {
	token, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(encoded, "="))
	if err != nil {
		return "", errors.New("it is not base64")
	}
	if len(token) != len(otp) {
		return "", fmt.Errorf("the one-time password has %d characters, and %d are needed", len(otp), len(token))
	}
	for i := range token {
		token[i] ^= otp[i]
	}
	return string(token), nil
}
