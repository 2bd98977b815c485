package vaultcmd

import (
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const policies = "sys/policies/acl"

func (h *Host) policyCommands() []*cobra.Command {
	return h.commands(policyListSpec(), policyReadSpec(), policyWriteSpec(), policyDeleteSpec(), policyFmtSpec(), policyExplainSpec())
}

// policyName is a policy's name as the server keeps it: in lower case.
func policyName(given string) string { return strings.ToLower(strings.TrimSpace(given)) }

func policyListSpec() spec {
	return spec{
		use: "list", short: "List policies", format: true,
		run: func(c *call) error {
			client, err := c.connect()
			if err != nil {
				return err
			}
			s, err := client.List(c.ctx, policies, nil)
			if err != nil {
				return refused(err, "Error listing policies")
			}
			keys, _ := keysOf(s)
			if c.format != asTable {
				return c.document(keys)
			}
			return c.print(strings.Join(append(keys, ""), "\n"))
		},
	}
}

func policyReadSpec() spec {
	return spec{
		use: "read NAME", short: "Print a policy", least: 1, most: 1, format: true,
		run: func(c *call) error {
			client, err := c.connect()
			if err != nil {
				return err
			}
			name := policyName(c.args[0])
			s, err := client.Read(c.ctx, policies+"/"+name, nil)
			if err != nil {
				return refused(err, "Error reading policy named %s", name)
			}
			text := ""
			if s != nil {
				text, _ = s.Data["policy"].(string)
			}
			if text == "" {
				return nothing("No policy named: %s", name)
			}
			if c.format != asTable {
				return c.document(map[string]string{"policy": text})
			}
			return c.line("%s", strings.TrimSpace(text))
		},
	}
}

func policyWriteSpec() spec {
	return spec{
		use: "write NAME FILE", short: "Set a policy from a file, or from stdin with -", least: 2, most: 2,
		example: "  zvault policy write web web.hcl\n  zvault policy write web - < web.hcl",
		run: func(c *call) error {
			text, err := c.fileOrStdin(strings.TrimSpace(c.args[1]))
			if err != nil {
				return refused(err, "Error opening policy file")
			}
			client, err := c.connect()
			if err != nil {
				return err
			}
			name := policyName(c.args[0])
			if _, err := client.Write(c.ctx, policies+"/"+name, map[string]any{"policy": text}); err != nil {
				return refused(err, "Error uploading policy")
			}
			if name != c.args[0] {
				c.warn("Policy name was converted from %q to %q", c.args[0], name)
			}
			return c.line("Success! Uploaded policy: %s", name)
		},
	}
}

// fileOrStdin reads a file, or stdin for "-".
func (c *call) fileOrStdin(path string) (string, error) {
	if path == "-" {
		return all(c.stdin())
	}
	content, err := os.ReadFile(path)
	return string(content), err
}

func policyDeleteSpec() spec {
	return spec{
		use: "delete NAME", short: "Take a policy away", least: 1, most: 1,
		run: func(c *call) error {
			client, err := c.connect()
			if err != nil {
				return err
			}
			name := policyName(c.args[0])
			if _, err := client.Delete(c.ctx, policies+"/"+name, nil); err != nil {
				return refused(err, "Error deleting %s", name)
			}
			return c.line("Success! Deleted policy: %s", name)
		},
	}
}

func policyExplainSpec() spec {
	var token, capability string
	var names []string
	return spec{
		use: "explain PATH", short: "Show which rule decides about a path, and what would allow it", least: 1, most: 1, field: true, format: true,
		long: "Show which rule of which policy decides whether a path may be used, and the smallest rule that would allow it. Without -token and -policy it is " +
			"about the token that asks. The server must be ZVault's.",
		example: "  zvault policy explain -capability=update secret/data/app\n  zvault policy explain -policy=web secret/data/app",
		flags: func(f *pflag.FlagSet) {
			f.StringVar(&capability, "capability", "read", "what is to be done: create, read, update, patch, delete, list, scan or sudo")
			f.StringVar(&token, "token", "", "whose policies, instead of the token that asks; - takes it from stdin")
			f.StringArrayVar(&names, "policy", nil, "this policy instead of a token's; may be given again")
		},
		run: func(c *call) error {
			body := map[string]any{"path": clean(c.args[0]), "capability": capability}
			if len(names) > 0 {
				body["policies"] = names
			}
			if token != "" {
				which, err := c.secretInput(token, "Token")
				if err != nil {
					return err
				}
				body["token"] = which
			}
			client, err := c.connect()
			if err != nil {
				return err
			}
			s, err := client.Post(c.ctx, "sys/policies/explain", body)
			switch {
			case err != nil:
				return refused(err, "Error explaining")
			case s == nil:
				return nothing("Error explaining: the server answered nothing")
			case c.format != asTable || c.field != "":
				return c.secret(s)
			}
			return c.explanation(s.Data)
		},
	}
}

// explanation prints the verdict, the rules that match, and the rule that would allow it.
func (c *call) explanation(data map[string]any) error {
	verdict := "refused"
	if data["allowed"] == true {
		verdict = "allowed"
	}
	if err := c.line("%s: %v", verdict, data["reason"]); err != nil {
		return err
	}
	var rows [][]string
	matched, _ := data["matched"].([]any)
	for _, m := range matched {
		if rule, ok := m.(map[string]any); ok {
			pattern, _ := rule["pattern"].(string)
			rows = append(rows, []string{pattern, strings.Join(textList(rule["policies"]), ", "), strings.Join(textList(rule["capabilities"]), ", ")})
		}
	}
	if len(rows) > 0 {
		if err := c.print("\n" + underlined([]string{"Rule", "Policies", "Capabilities"}, rows)); err != nil {
			return err
		}
	}
	if fix, _ := data["fix"].(string); fix != "" {
		return c.print("\nThis rule would allow it:\n\n" + strings.TrimRight(fix, "\n") + "\n")
	}
	return nil
}
