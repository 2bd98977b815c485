package vaultcmd

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const namespaces = "sys/namespaces"

func (h *Host) namespaceCommands() []*cobra.Command {
	var custom map[string]string
	return h.commands(
		spec{
			use: "list", short: "List the namespaces below this one", format: true, detailed: true,
			run: func(c *call) error {
				client, err := c.connect()
				if err != nil {
					return err
				}
				s, err := client.List(c.ctx, namespaces, nil)
				if err != nil {
					return refused(err, "Error listing namespaces")
				}
				if s == nil && c.format == asTable {
					return nothing("No namespaces found")
				}
				return c.list(s, namespaces)
			},
		},
		spec{
			use: "create NAME", short: "Make a namespace", least: 1, most: 1, field: true, format: true,
			flags: func(f *pflag.FlagSet) {
				f.Var((*pairs)(&custom), "custom-metadata", "key=value to keep beside it; may be given again")
			},
			run: func(c *call) error {
				client, err := c.connect()
				if err != nil {
					return err
				}
				if custom == nil {
					custom = map[string]string{}
				}
				s, err := client.Write(c.ctx, namespaces+"/"+strings.TrimSpace(c.args[0]), map[string]any{"custom_metadata": custom})
				if err != nil {
					return refused(err, "Error creating namespace")
				}
				return c.secret(s)
			},
		},
		spec{
			use: "delete NAME", short: "Take a namespace away, with all that is in it", least: 1, most: 1, format: true,
			run: func(c *call) error {
				client, err := c.connect()
				if err != nil {
					return err
				}
				name := strings.TrimSpace(c.args[0])
				s, err := client.Delete(c.ctx, namespaces+"/"+name, nil)
				switch {
				case err != nil:
					return refused(err, "Error deleting namespace")
				case s != nil:
					return c.secret(s)
				}
				return c.line("Success! Namespace deleted at: %s", slashed(name))
			},
		},
		spec{
			use: "lookup NAME", short: "Show what is known of a namespace", least: 1, most: 1, field: true, format: true,
			run: func(c *call) error {
				client, err := c.connect()
				if err != nil {
					return err
				}
				s, err := client.Read(c.ctx, namespaces+"/"+strings.TrimSpace(c.args[0]), nil)
				switch {
				case err != nil:
					return refused(err, "Error looking up namespace")
				case s == nil:
					return nothing("Namespace not found")
				}
				return c.secret(s)
			},
		})
}
