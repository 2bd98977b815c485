package vaultcmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/ArcadeLabsInc/zvault/internal/vaultclient"
)

// loginFlags are those of login.
type loginFlags struct {
	method, path                string
	noStore, noPrint, tokenOnly bool
}

func loginSpec() spec {
	var l loginFlags
	return spec{
		use: "login [TOKEN | key=value...]", short: "Log in to a server", most: -1, field: true, format: true,
		long: "Log in, and keep the token in ~/.vault-token for the commands after it. Methods: token (asks for one, or takes it from - and stdin), " +
			"userpass (username, password), approle (role_id, secret_id). What is secret and not given is asked for. " + safer,
		example: "  zvault login\n  zvault login -method=userpass username=ann\n  zvault login -method=approle role_id=web secret_id=@secret-id",
		flags: func(f *pflag.FlagSet) {
			f.StringVar(&l.method, "method", "token", "how to log in: token, userpass or approle")
			f.StringVar(&l.path, "path", "", "where the method is enabled (default: its name)")
			f.BoolVar(&l.noStore, "no-store", false, "do not keep the token")
			f.BoolVar(&l.noPrint, "no-print", false, "do not print the token")
			f.BoolVar(&l.tokenOnly, "token-only", false, "print the token alone and do not keep it")
		},
		run: l.run,
	}
}

func (l *loginFlags) run(c *call) error {
	if l.tokenOnly {
		l.noStore, c.field = true, "token"
	}
	if l.noStore && l.noPrint {
		return usage("-no-store and -no-print cannot be used together")
	}
	method := first(clean(l.method), "token")
	act, ok := map[string]func(*call, *vaultclient.Client, string, map[string]string) (*vaultclient.Secret, error){
		"token": byToken, "userpass": byPassword, "approle": byRole,
	}[method]
	if !ok {
		return usage("Unknown auth method: %s. Here are token, userpass and approle; for others use `zvault write auth/PATH/login ...`", method)
	}
	if method == "token" && len(c.args) > 0 && !strings.Contains(c.args[0], "=") {
		c.args[0] = "token=" + c.args[0]
	}
	given, err := c.texts(0)
	if err != nil {
		return err
	}
	client, err := c.anonymous()
	if err != nil {
		return err
	}
	if method != "token" {
		client.SetToken("")
	}
	s, err := act(c, client, clean(first(l.path, given["mount"], method)), given)
	if err != nil {
		return refused(err, "Error authenticating")
	}
	return l.finish(c, client, s)
}

// finish unwraps, keeps and prints the token.
func (l *loginFlags) finish(c *call, client *vaultclient.Client, s *vaultclient.Secret) error {
	if s != nil && s.Auth == nil && s.WrapInfo != nil {
		if l.tokenOnly {
			return c.one(s.WrapInfo.Token)
		}
		if l.noStore {
			return c.secret(s)
		}
		client.SetToken(s.WrapInfo.Token)
		var err error
		if s, err = unwrap(c, client, ""); err != nil {
			return refused(err, "Error extracting token")
		}
	}
	if s == nil || s.Auth == nil || s.Auth.ClientToken == "" {
		return nothing("Error authenticating: the server answered without a token")
	}
	if err := l.keep(c, s.Auth.ClientToken); err != nil {
		return err
	}
	if l.noPrint {
		return nil
	}
	if !l.noStore && c.field == "" {
		if err := c.done("Success! You are now authenticated. The token below is kept for the commands after\nthis one; there is no need to log in again.\n"); err != nil {
			return err
		}
	}
	return c.secret(s)
}

// keep stores the token, and warns of what goes before it.
func (l *loginFlags) keep(c *call, token string) error {
	switch {
	case l.tokenOnly:
		return nil
	case l.noStore:
		c.warn("The token was not kept. Set VAULT_TOKEN to it for the commands after this one.\n")
		return nil
	}
	file, err := c.TokenFile()
	if err == nil {
		err = file.Store(token)
	}
	if err != nil {
		return &Exit{Status: exitServer, text: "Error storing token: " + err.Error() + "\nThe login itself went well; log in with -no-store to see the token", cause: err}
	}
	for _, name := range []string{"VAULT_TOKEN", "ZVAULT_TOKEN"} {
		if c.Getenv(name) != "" {
			c.warn("WARNING! %s is set in the environment and goes before the token that was kept; unset it to use the new one.", name)
		}
	}
	return nil
}

// byToken looks a token up, and makes of what is known of it what a login would have answered.
func byToken(c *call, client *vaultclient.Client, _ string, given map[string]string) (*vaultclient.Secret, error) {
	look := true
	if text, ok := given["lookup"]; ok {
		var err error
		if look, err = strconv.ParseBool(text); err != nil {
			return nil, fmt.Errorf("lookup: %q is neither true nor false", text)
		}
	}
	token := strings.TrimSpace(given["token"])
	if token == "" {
		var err error
		if token, err = c.secretInput("", "Token"); err != nil {
			return nil, err
		}
	}
	if token == "" {
		return nil, errors.New("a token must be given")
	}
	if !look {
		return &vaultclient.Secret{Auth: &vaultclient.Auth{ClientToken: token}}, nil
	}
	client.SetToken(token)
	client.SetWrapTTL("")
	s, err := client.Read(c.ctx, "auth/token/lookup-self", nil)
	switch {
	case err != nil:
		return nil, fmt.Errorf("error looking up token: %w", err)
	case s == nil:
		return nil, errors.New("the server knows nothing of the token")
	}
	return &vaultclient.Secret{Auth: authOf(s.Data, token)}, nil
}

// authOf reads what a lookup answered.
func authOf(data map[string]any, token string) *vaultclient.Auth {
	a := &vaultclient.Auth{ClientToken: token, TokenPolicies: textList(data["policies"]), IdentityPolicies: textList(data["identity_policies"])}
	a.Accessor, _ = data["accessor"].(string)
	a.EntityID, _ = data["entity_id"].(string)
	a.Renewable, _ = data["renewable"].(bool)
	a.Orphan, _ = data["orphan"].(bool)
	a.Policies = append(append([]string{}, a.TokenPolicies...), a.IdentityPolicies...)
	if ttl, ok := data["ttl"].(json.Number); ok {
		if n, err := ttl.Int64(); err == nil {
			a.LeaseDuration = int(n)
		}
	}
	if meta, ok := data["meta"].(map[string]any); ok {
		a.Metadata = map[string]string{}
		for k, v := range meta {
			a.Metadata[k] = fmt.Sprint(v)
		}
	}
	return a
}

// textList is a JSON list as texts.
func textList(v any) []string {
	list, _ := v.([]any)
	var out []string
	for _, item := range list {
		out = append(out, fmt.Sprint(item))
	}
	return out
}

func byPassword(c *call, client *vaultclient.Client, mount string, given map[string]string) (*vaultclient.Secret, error) {
	if given["username"] == "" {
		return nil, usage("Error authenticating: 'username' must be specified")
	}
	password, ok := given["password"]
	if !ok || password == "" {
		var err error
		if password, err = c.secretInput("", "Password"); err != nil {
			return nil, err
		}
	}
	return client.Write(c.ctx, "auth/"+mount+"/login/"+given["username"], map[string]any{"password": password})
}

func byRole(c *call, client *vaultclient.Client, mount string, given map[string]string) (*vaultclient.Secret, error) {
	if given["role_id"] == "" {
		return nil, usage("Error authenticating: 'role_id' must be specified")
	}
	body := map[string]any{"role_id": given["role_id"]}
	if id := strings.TrimSpace(given["secret_id"]); id != "" {
		body["secret_id"] = id
	}
	return client.Write(c.ctx, "auth/"+mount+"/login", body)
}
