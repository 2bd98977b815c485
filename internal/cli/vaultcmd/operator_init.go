package vaultcmd

import (
	"net/http"

	"github.com/spf13/pflag"

	"github.com/ArcadeLabsInc/zvault/internal/vaultclient"
)

// initFlags are those of operator init.
type initFlags struct {
	status                                     bool
	shares, threshold, recovery, recoveryQuota int
	pgp, rootPGP, recoveryPGP                  string
}

// initReply is what sys/init answers.
type initReply struct {
	Keys        []string `json:"keys"`
	KeysB64     []string `json:"keys_base64"`
	Recovery    []string `json:"recovery_keys"`
	RecoveryB64 []string `json:"recovery_keys_base64"`
	Root        string   `json:"root_token"`
}

// initDocument is that as JSON, in the form of Vault's command line.
type initDocument struct {
	KeysB64           []string `json:"unseal_keys_b64"`
	Keys              []string `json:"unseal_keys_hex"`
	Shares            int      `json:"unseal_shares"`
	Threshold         int      `json:"unseal_threshold"`
	RecoveryB64       []string `json:"recovery_keys_b64"`
	Recovery          []string `json:"recovery_keys_hex"`
	RecoveryShares    int      `json:"recovery_keys_shares"`
	RecoveryThreshold int      `json:"recovery_keys_threshold"`
	Root              string   `json:"root_token"`
}

func initSpec() spec {
	var i initFlags
	return spec{
		use: "init", short: "Set up a new server: make its keys and its first token", format: true,
		long: "Set up a new server, and print the parts of its key and its first token. They are shown this once. With -status the exit status is 0 if it is set " +
			"up already, 2 if not, 1 if that is not known.",
		flags: func(f *pflag.FlagSet) {
			f.BoolVar(&i.status, "status", false, "only say whether it is set up")
			f.IntVarP(&i.shares, "key-shares", "n", 0, "in how many parts the key is split (default 5)")
			f.IntVarP(&i.threshold, "key-threshold", "t", 0, "how many parts make the key (default 3)")
			f.StringVar(&i.pgp, "pgp-keys", "", "files with PGP keys to encrypt the parts with, with commas between")
			f.StringVar(&i.rootPGP, "root-token-pgp-key", "", "file with a PGP key to encrypt the token with")
			f.IntVar(&i.recovery, "recovery-shares", 5, "parts of the recovery key, if the server unseals itself")
			f.IntVar(&i.recoveryQuota, "recovery-threshold", 3, "how many parts make the recovery key")
			f.StringVar(&i.recoveryPGP, "recovery-pgp-keys", "", "files with PGP keys to encrypt the parts of the recovery key with")
		},
		run: i.run,
	}
}

func (i *initFlags) run(c *call) error {
	client, err := c.connect()
	if err != nil {
		return err
	}
	if i.status {
		return initStatus(c, client)
	}
	var st sealStatus
	if err := c.ask(client.Live(), http.MethodGet, "sys/seal-status", nil, &st); err != nil {
		return refused(err, "Error initializing")
	}
	body, err := i.body(st.RecoverySeal)
	if err != nil {
		return err
	}
	var reply initReply
	if err := c.ask(client, http.MethodPut, "sys/init", body, &reply); err != nil {
		return refused(err, "Error initializing")
	}
	if c.format != asTable {
		return c.document(i.document(reply))
	}
	return i.print(c, reply)
}

// body is the request; which of the two keys is split depends on the seal.
func (i *initFlags) body(recovery bool) (map[string]any, error) {
	if !recovery {
		if i.shares == 0 {
			i.shares = 5
		}
		if i.threshold == 0 {
			i.threshold = 3
		}
		i.recovery, i.recoveryQuota = 0, 0
	}
	body := map[string]any{
		"secret_shares": i.shares, "secret_threshold": i.threshold, "recovery_shares": i.recovery, "recovery_threshold": i.recoveryQuota,
	}
	for name, given := range map[string]string{"pgp_keys": i.pgp, "recovery_pgp_keys": i.recoveryPGP, "root_token_pgp_key": i.rootPGP} {
		keys, err := pgpKeys(given)
		if err != nil {
			return nil, err
		}
		switch {
		case len(keys) == 0:
		case name == "root_token_pgp_key":
			body[name] = keys[0]
		default:
			body[name] = keys
		}
	}
	return body, nil
}

func (i *initFlags) document(r initReply) initDocument {
	d := initDocument{
		KeysB64: r.KeysB64, Keys: r.Keys, Shares: i.shares, Threshold: i.threshold, RecoveryB64: r.RecoveryB64, Recovery: r.Recovery,
		RecoveryShares: i.recovery, RecoveryThreshold: i.recoveryQuota, Root: r.Root,
	}
	if len(r.Keys) == 0 {
		d.Shares, d.Threshold = 1, 1
	}
	return d
}

func (i *initFlags) print(c *call, r initReply) error {
	if err := c.numbered("Unseal Key", pick(r.KeysB64, r.Keys)); err != nil {
		return err
	}
	if err := c.numbered("Recovery Key", pick(r.RecoveryB64, r.Recovery)); err != nil {
		return err
	}
	if err := c.line("\nInitial Root Token: %s", r.Root); err != nil {
		return err
	}
	advice := "Success! Vault is initialized"
	if len(r.Keys) > 0 {
		advice = wrap("Vault initialized. Give each part of the key to another person, and keep the token safe: neither is shown again. After every start and seal " +
			"the server needs " + count(i.threshold, len(r.Keys)) + "; with fewer, all that it holds is lost. `zvault operator rekey` makes new parts.")
	}
	return c.line("\n%s", advice)
}

// pick prefers the short form of keys.
func pick(short, long []string) []string {
	if len(short) == len(long) {
		return short
	}
	return long
}

// numbered prints a line for each.
func (c *call) numbered(name string, values []string) error {
	for i, v := range values {
		if err := c.line("%s %d: %s", name, i+1, v); err != nil {
			return err
		}
	}
	return nil
}

func initStatus(c *call, client *vaultclient.Client) error {
	var reply struct {
		Initialized bool `json:"initialized"`
	}
	if err := c.ask(client, http.MethodGet, "sys/init", nil, &reply); err != nil {
		return onThisSide(refused(err, "Error checking init status"))
	}
	text := "Vault is initialized"
	if !reply.Initialized {
		text = "Vault is not initialized"
	}
	err := c.done("%s", text)
	if c.format != asTable {
		err = c.document(reply)
	}
	if err == nil && !reply.Initialized {
		err = &Exit{Status: exitServer}
	}
	return err
}
