package vaultcmd

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// entry is a command of the top level: what the list of commands shows, and what builds the rest.
type entry struct {
	name, short string
	build       func() *cobra.Command
}

// single is an entry of one command.
func (h *Host) single(s spec) entry {
	name, _, _ := strings.Cut(s.use, " ")
	return entry{name, s.short, func() *cobra.Command { return h.command(s) }}
}

// many is an entry that holds other commands.
func many(name, short, long string, subs func() []*cobra.Command) entry {
	return entry{name, short, func() *cobra.Command { return group(name, short, long, subs()...) }}
}

// entries are the commands of the top level, in the order of the help.
func (h *Host) entries() []entry {
	return []entry{
		h.single(readSpec()), h.single(writeSpec()), h.single(listSpec()), h.single(deleteSpec()), h.single(patchSpec()), h.single(unwrapSpec()),
		h.single(loginSpec()), h.single(pathHelpSpec()),
		many("kv", "Use key-value engines", kvHelp, h.kvCommands),
		many("transit", "Bring keys into transit engines", "Bring your own keys into transit engines, wrapped on the way.", h.transitCommands),
		many("token", "Make, look up, renew and revoke tokens", "Make, look up, renew and revoke tokens of a server.", h.tokenCommands),
		many("policy", "Look after policies", "Look after the policies of a server, and ask why one allows or refuses.", h.policyCommands),
		many("auth", "Look after auth methods", "Look after the methods by which one logs in to a server.", h.authCommands),
		many("secrets", "Look after secrets engines", secretsHelp, h.secretsCommands),
		many("lease", "Look up, renew and revoke leases", "Look up, renew and revoke leases of a server.", h.leaseCommands),
		many("operator", "Set up, unseal and look after a server", "Set up, unseal and look after a server.", h.operatorCommands),
		many("namespace", "Look after namespaces", "Look after the namespaces of a server.", h.namespaceCommands),
		many("print", "Print what the commands use", "Print what the commands use.", h.printCommands),
	}
}

const secretsHelp = "Look after the secrets engines of a server. `secrets list` without VAULT_ADDR and -address, and every other command that is not " +
	"here, is that of `zvault secret`."

// Wire adds the commands to a root command, in a group of its help, and returns the arguments as cobra reads them: flags of
// these commands that were typed with one dash have two.
//
// Some words have a meaning in both worlds. `status`, `audit list` and `secrets list` are Vault's if VAULT_ADDR is set or
// -address is given, else those that root has already.
func Wire(root *cobra.Command, groupID string, h *Host, args []string) []string {
	all := slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, "__complete") })
	addressed := h.addressed(args)
	for _, e := range h.entries() {
		c := &cobra.Command{Use: e.name, Short: e.short, Run: func(*cobra.Command, []string) {}}
		if all || slices.Contains(args, e.name) {
			c = e.build()
		}
		c.GroupID = groupID
		root.AddCommand(c)
	}
	for _, c := range root.Commands() {
		switch {
		case c.Name() == "status" && slices.Contains(args, "status"):
			h.overlay(c, statusSpec(), addressed)
		case c.Name() == "audit" && slices.Contains(args, "audit"):
			h.overlayAudit(c, addressed)
		case c.HasAlias("secrets") && vaultSecrets(args, addressed):
			c.Aliases = slices.DeleteFunc(c.Aliases, func(a string) bool { return a == "secrets" })
		}
	}
	if slices.Contains(args, "vault") {
		root.AddCommand(&cobra.Command{Use: "vault", Short: "How the commands in Vault's form find their server", Long: vaultHelp})
	}
	return twoDashes(root, args)
}

// addressed reports whether a server was named in the way of Vault's users.
func (h *Host) addressed(args []string) bool {
	if h.Getenv("VAULT_ADDR") != "" {
		return true
	}
	for _, a := range args {
		if a == "--" {
			return false
		}
		if name, _, _ := strings.Cut(strings.TrimLeft(a, "-"), "="); name == "address" && strings.HasPrefix(a, "-") {
			return true
		}
	}
	return false
}

// vaultSecrets reports whether the word secrets means engines here.
func vaultSecrets(args []string, addressed bool) bool {
	at := slices.Index(args, "secrets")
	if at < 0 {
		return false
	}
	for _, next := range args[at+1:] {
		switch {
		case strings.HasPrefix(next, "-"):
			continue
		case next == "list":
			return addressed
		}
		return slices.Contains([]string{"enable", "disable", "tune", "move"}, next)
	}
	return addressed
}

// overlay makes a command of the program Vault's where a server was named.
func (h *Host) overlay(c *cobra.Command, s spec, addressed bool) {
	own, check := c.RunE, c.Args
	c.Long = first(c.Long, c.Short+".") + "\n\nWith VAULT_ADDR or -address it is Vault's `" + c.Name() + "` of that server: " + wrapAt(helpWidth, s.long) + statuses
	OneDash(c)
	if !addressed {
		c.Flags().String("address", "", "the server; the command is then Vault's")
		c.RunE, c.Args = own, check
		return
	}
	run := h.bind(c, s)
	c.Args = cobra.ArbitraryArgs
	c.RunE = func(c *cobra.Command, args []string) error { return run(c.Context(), args) }
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage("%v", err) })
}

// twoDashes returns the arguments with long flags typed as pflag reads them, if the command is one of ours.
func twoDashes(root *cobra.Command, args []string) []string {
	c, rest, err := root.Find(args)
	if _, ours := c.Annotations[marked]; err != nil || !ours {
		return args
	}
	out := strings.Fields(c.CommandPath())[1:]
	for i := 0; i < len(rest); i++ {
		arg := rest[i]
		if arg == "--" {
			return append(out, rest[i:]...)
		}
		name, _, hasValue := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if !strings.HasPrefix(arg, "-") || name == "" {
			out = append(out, arg)
			continue
		}
		flag := c.Flag(name)
		if len(name) == 1 && flag == nil {
			flag = c.Flags().ShorthandLookup(name)
		}
		if !strings.HasPrefix(arg, "--") && len(name) > 1 && (flag != nil || !letters(c, name)) {
			arg = "-" + arg
		}
		out = append(out, arg)
		if flag != nil && !hasValue && flag.NoOptDefVal == "" && i+1 < len(rest) {
			i++
			out = append(out, rest[i])
		}
	}
	return out
}

// letters reports whether each letter of a word is a flag, as in -qy.
func letters(c *cobra.Command, word string) bool {
	return !strings.ContainsFunc(word, func(r rune) bool {
		return r >= 0x80 || c.Flags().ShorthandLookup(string(r)) == nil && c.InheritedFlags().ShorthandLookup(string(r)) == nil
	})
}

const vaultHelp = `The commands in Vault's form talk to a server with Vault's HTTP API: ZVault's own, OpenBao, Vault.

  -address            the server                    VAULT_ADDR, else ZVAULT_ADDR, else http://127.0.0.1:8200
  (token)             who asks                      VAULT_TOKEN, else ZVAULT_TOKEN, else ~/.vault-token, which login writes
  -namespace, -ns     the namespace                 VAULT_NAMESPACE
  -ca-cert, -ca-path  authorities to trust          VAULT_CACERT, VAULT_CAPATH (VAULT_CACERT_BYTES)
  -client-cert, -client-key  our certificate        VAULT_CLIENT_CERT, VAULT_CLIENT_KEY
  -tls-server-name    name in its certificate       VAULT_TLS_SERVER_NAME
  -tls-skip-verify    trust any server              VAULT_SKIP_VERIFY
  -wrap-ttl           wrap the answer               VAULT_WRAP_TTL
  -format             table, json or yaml           VAULT_FORMAT
  -mfa, -header, -agent-address, -disable-redirects, -non-interactive    VAULT_MFA, VAULT_AGENT_ADDR, VAULT_DISABLE_REDIRECTS
  (time for a request, 60s)                         VAULT_CLIENT_TIMEOUT
  (repetitions after a 5xx, 0)                      VAULT_MAX_RETRIES
  -output-curl-string print the request as a curl command instead of sending it; the token is not in it

Values: key=value, key=@file, key=- for stdin, @file or - for a whole JSON document. A value typed as key=value is seen by
every program of this machine and by the shell's history; stdin and files are safer.

Words of both worlds: status, audit list and secrets list are Vault's if VAULT_ADDR is set or -address is given, else ours.

Exit status: 0 done; 1 typed wrongly, or something on this machine; 2 the server refused or could not be reached. status: 0
unsealed, 2 sealed, 1 not reached.`
