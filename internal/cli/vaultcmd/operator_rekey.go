package vaultcmd

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/pflag"

	"github.com/ArcadeLabsInc/zvault/internal/vaultclient"
)

// rekey are the flags of operator rekey.
type rekey struct {
	init, cancel, status, verify         bool
	backup, backupDelete, backupRetrieve bool
	shares, threshold                    int
	nonce, target, pgp                   string
	path, backupPath, prompt             string
}

// rekeyStatus is what sys/rekey/init and sys/rekey/verify answer, in the order in which it is printed as JSON.
type rekeyStatus struct {
	Nonce                string   `json:"nonce"`
	Started              bool     `json:"started"`
	T                    int      `json:"t"`
	N                    int      `json:"n"`
	Progress             int      `json:"progress"`
	Required             int      `json:"required"`
	PGPFingerprints      []string `json:"pgp_fingerprints"`
	Backup               bool     `json:"backup"`
	VerificationRequired bool     `json:"verification_required"`
	VerificationNonce    string   `json:"verification_nonce"`
}

// rekeyReply is what giving a part of the key answers.
type rekeyReply struct {
	Nonce                string   `json:"nonce"`
	Complete             bool     `json:"complete"`
	Keys                 []string `json:"keys"`
	KeysB64              []string `json:"keys_base64"`
	PGPFingerprints      []string `json:"pgp_fingerprints"`
	Backup               bool     `json:"backup"`
	VerificationRequired bool     `json:"verification_required"`
	VerificationNonce    string   `json:"verification_nonce,omitempty"`
}

func rekeySpec() spec {
	var r rekey
	return spec{
		use: "rekey [KEY]", short: "Split a server's key anew", most: 1, format: true,
		long: "Split a server's key anew. Begin with -init, then give the parts of the old key one by one; each is asked for if it is not given, and taken from " +
			"stdin with -. With -init -verify the new parts count only after they were given once with -verify.",
		example: "  zvault operator rekey -init -key-shares=5 -key-threshold=3\n  zvault operator rekey -nonce=NONCE -",
		flags: func(f *pflag.FlagSet) {
			f.BoolVar(&r.init, "init", false, "begin")
			f.BoolVar(&r.cancel, "cancel", false, "end without a change")
			f.BoolVar(&r.status, "status", false, "show how far it is")
			f.BoolVar(&r.verify, "verify", false, "with -init: new parts are to be verified; else: this is about that")
			f.IntVarP(&r.shares, "key-shares", "n", 5, "in how many parts the key is split")
			f.IntVarP(&r.threshold, "key-threshold", "t", 3, "how many parts make the key")
			f.StringVar(&r.nonce, "nonce", "", "what -init answered; given with each part that is not typed on the terminal")
			f.StringVar(&r.target, "target", "barrier", "barrier, or recovery if the server unseals itself")
			f.StringVar(&r.pgp, "pgp-keys", "", "files with PGP keys to encrypt the parts with, with commas between")
			f.BoolVar(&r.backup, "backup", false, "let the server keep the encrypted parts")
			f.BoolVar(&r.backupDelete, "backup-delete", false, "delete the parts that it keeps")
			f.BoolVar(&r.backupRetrieve, "backup-retrieve", false, "print the parts that it keeps")
		},
		run: r.run,
	}
}

func (r *rekey) run(c *call) error {
	switch strings.ToLower(strings.TrimSpace(r.target)) {
	case "barrier":
		r.path, r.backupPath, r.prompt = "sys/rekey", "sys/rekey/backup", "Unseal Key"
	case "recovery", "hsm":
		r.path, r.backupPath, r.prompt = "sys/rekey-recovery-key", "sys/rekey/recovery-key-backup", "Recovery Key"
	default:
		return usage("Unknown target: %s", r.target)
	}
	client, err := c.connect()
	if err != nil {
		return err
	}
	switch {
	case r.backupDelete:
		if err := c.ask(client, http.MethodDelete, r.backupPath, nil, &struct{}{}); err != nil {
			return refused(err, "Error deleting rekey stored keys")
		}
		return c.line("Success! Delete stored keys (if they existed)")
	case r.backupRetrieve:
		s, err := client.Read(c.ctx, r.backupPath, nil)
		if err != nil {
			return refused(err, "Error retrieving rekey stored keys")
		}
		return c.secret(s)
	case r.cancel:
		if err := c.ask(client, http.MethodDelete, r.place(), nil, &struct{}{}); err != nil {
			return refused(err, "Error canceling rekey")
		}
		return c.line("Success! Canceled rekeying (if it was started)")
	case r.init:
		return r.begin(c, client)
	case r.status:
		return r.show(c, client)
	}
	return r.provide(c, client)
}

// place is where this attempt, or its verification, is looked up and ended.
func (r *rekey) place() string {
	if r.verify {
		return r.path + "/verify"
	}
	return r.path + "/init"
}

func (r *rekey) begin(c *call, client *vaultclient.Client) error {
	keys, err := pgpKeys(r.pgp)
	if err != nil {
		return err
	}
	body := map[string]any{"secret_shares": r.shares, "secret_threshold": r.threshold, "backup": r.backup, "require_verification": r.verify}
	if len(keys) > 0 {
		body["pgp_keys"] = keys
	}
	var st rekeyStatus
	if err := c.ask(client, http.MethodPut, r.path+"/init", body, &st); err != nil {
		return refused(err, "Error initializing rekey")
	}
	if c.format == asTable && !r.verify && !(len(keys) > 0 && r.backup) {
		c.warn("WARNING! The new parts are shown once, when the last old one is given, and the old ones are void then. -verify makes the new ones count " +
			"only after they were tried; -pgp-keys with -backup lets the server keep a copy.")
	}
	r.verify = false
	return r.print(c, st)
}

func (r *rekey) show(c *call, client *vaultclient.Client) error {
	var st rekeyStatus
	if err := c.ask(client, http.MethodGet, r.place(), nil, &st); err != nil {
		return refused(err, "Error reading rekey status")
	}
	return r.print(c, st)
}

func (r *rekey) print(c *call, st rekeyStatus) error {
	if c.format != asTable {
		return c.document(st)
	}
	var rows [][]string
	add := func(key string, value any) { rows = append(rows, []string{key, fmt.Sprint(value)}) }
	if r.verify {
		add("Started", st.Started)
		add("New Shares", st.N)
		add("New Threshold", st.T)
		add("Verification Nonce", st.Nonce)
		add("Verification Progress", fmt.Sprintf("%d/%d", st.Progress, st.T))
		return c.table(keyValue(), rows)
	}
	add("Nonce", st.Nonce)
	add("Started", st.Started)
	if st.Started {
		progress := fmt.Sprintf("%d/%d", st.Progress, st.Required)
		if st.Progress == st.Required {
			progress += " (verification in progress)"
		}
		add("Rekey Progress", progress)
		add("New Shares", st.N)
		add("New Threshold", st.T)
		add("Verification Required", st.VerificationRequired)
		if st.VerificationNonce != "" {
			add("Verification Nonce", st.VerificationNonce)
		}
	}
	if len(st.PGPFingerprints) > 0 {
		add("PGP Fingerprints", st.PGPFingerprints)
		add("Backup", st.Backup)
	}
	return c.table(keyValue(), rows)
}

// provide gives one part of the key.
func (r *rekey) provide(c *call, client *vaultclient.Client) error {
	var st rekeyStatus
	if err := c.ask(client.Live(), http.MethodGet, r.place(), nil, &st); err != nil {
		return refused(err, "Error getting rekey status")
	}
	if !st.Started {
		return usage("No rekey is in progress. Start one with `zvault operator rekey -init`.")
	}
	key, nonce, err := c.part(r.prompt, "Rekey operation nonce", st.Nonce, r.nonce)
	if err != nil {
		return err
	}
	path := r.path + "/update"
	if r.verify {
		path = r.path + "/verify"
	}
	var reply rekeyReply
	if err := c.ask(client, http.MethodPut, path, map[string]any{"key": key, "nonce": nonce}, &reply); err != nil {
		return refused(err, "Error posting unseal key")
	}
	switch {
	case !reply.Complete:
		return r.show(c, client)
	case r.verify:
		return c.line("Success! The new parts were verified; from now on they are the ones that count.")
	case c.format != asTable:
		return c.document(reply)
	}
	return r.newKeys(c, client, st, reply)
}

func (r *rekey) newKeys(c *call, client *vaultclient.Client, st rekeyStatus, reply rekeyReply) error {
	keys := pick(reply.KeysB64, reply.Keys)
	if err := c.line(""); err != nil {
		return err
	}
	for i, k := range keys {
		text := fmt.Sprintf("Key %d: %s", i+1, k)
		if i < len(reply.PGPFingerprints) {
			text = fmt.Sprintf("Key %d fingerprint: %s; value: %s", i+1, reply.PGPFingerprints[i], k)
		}
		if err := c.line("%s", text); err != nil {
			return err
		}
	}
	if err := c.line("\nOperation nonce: %s", reply.Nonce); err != nil {
		return err
	}
	if !st.VerificationRequired && !reply.VerificationRequired {
		return c.line("\n%s", wrap("The key is split anew, and the old parts are void. Give each new part to another person: they are not shown again. "+
			count(st.T, st.N)+" make the key."))
	}
	c.warn("The new parts do not count yet: give them with `zvault operator rekey -verify`, and keep the old ones until that is done.\n")
	r.verify = true
	if err := c.line(""); err != nil {
		return err
	}
	return r.show(c, client)
}

// count says how many of how many.
func count(some, all int) string { return fmt.Sprintf("%d of the %d parts", some, all) }

// part is a part of a key from the argument, from stdin or from the terminal, with the nonce of what it is for. Only somebody at
// the terminal, who sees the nonce, need not give it.
func (c *call) part(prompt, label, current, given string) (key, nonce string, err error) {
	if len(c.args) == 0 || c.args[0] == "" {
		_, _ = fmt.Fprintf(c.Err, "%s: %s\n", label, current) // for people; the prompt follows
		key, err = c.secretInput("", prompt)
		return key, current, err
	}
	if given == "" {
		return "", "", usage("Missing nonce value: specify it via the -nonce flag")
	}
	key, err = c.secretInput(c.args[0], prompt)
	return key, given, err
}
