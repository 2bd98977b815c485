package vaultcmd

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// overlayAudit adds what Vault's audit commands have to those of the program: enable and disable, and list of a server.
func (h *Host) overlayAudit(c *cobra.Command, addressed bool) {
	c.AddCommand(h.commands(auditEnableSpec(), auditDisableSpec())...)
	c.Long = first(c.Long, c.Short+".") + "\n\nenable and disable are about the audit devices of a server, as Vault's; so is list with VAULT_ADDR or -address."
	for _, sub := range c.Commands() {
		if sub.Name() == "list" {
			h.overlay(sub, auditListSpec(), addressed)
		}
	}
}

func auditListSpec() spec {
	return spec{
		use: "list", short: "List audit devices", long: "list its audit devices.", format: true, detailed: true,
		run: func(c *call) error {
			client, err := c.connect()
			if err != nil {
				return err
			}
			s, err := client.Read(c.ctx, "sys/audit", nil)
			if err != nil {
				return refused(err, "Error listing audits")
			}
			devices := map[string]any{}
			if s != nil && s.Data != nil {
				devices = s.Data
			}
			if c.format != asTable {
				return c.document(devices)
			}
			if len(devices) == 0 {
				if err := c.line("No audit devices are enabled."); err != nil {
					return err
				}
				return &Exit{Status: exitServer}
			}
			return c.auditTable(devices)
		},
	}
}

func (c *call) auditTable(devices map[string]any) error {
	text, err := json.Marshal(devices)
	if err != nil {
		return broken(err, "reading the audit devices")
	}
	var typed map[string]struct {
		Type, Description string
		Local             bool
		Options           map[string]string
	}
	if err := json.Unmarshal(text, &typed); err != nil {
		return refused(err, "reading the audit devices")
	}
	header := []string{"Path", "Type", "Description"}
	if c.detailed {
		header = append(header, "Replication", "Options")
	}
	var rows [][]string
	for _, path := range slices.Sorted(maps.Keys(typed)) {
		d := typed[path]
		row := []string{path, d.Type, d.Description}
		if c.detailed {
			replication := "replicated"
			if d.Local {
				replication = "local"
			}
			var options []string
			for _, k := range slices.Sorted(maps.Keys(d.Options)) {
				options = append(options, k+"="+d.Options[k])
			}
			row = append(row, replication, strings.Join(options, " "))
		}
		rows = append(rows, row)
	}
	return c.table(header, rows)
}

func auditEnableSpec() spec {
	var description, path string
	var local bool
	return spec{
		use: "enable TYPE [key=value...]", short: "Enable an audit device of a server", least: 1, most: -1,
		long:    "Enable an audit device of a server: file, socket or syslog. The pairs are its options.",
		example: "  zvault audit enable file file_path=/var/log/vault-audit.log",
		flags: func(f *pflag.FlagSet) {
			f.StringVar(&description, "description", "", "what it is for")
			f.StringVar(&path, "path", "", "what it is called (default: its type)")
			f.BoolVar(&local, "local", false, "on this cluster alone")
		},
		run: func(c *call) error {
			options, err := c.texts(1)
			if err != nil {
				return err
			}
			client, err := c.connect()
			if err != nil {
				return err
			}
			kind := strings.TrimSpace(c.args[0])
			place := slashed(first(path, kind))
			body := map[string]any{"type": kind, "description": description, "options": options, "local": local}
			if _, err := client.Write(c.ctx, "sys/audit/"+clean(place), body); err != nil {
				return refused(err, "Error enabling audit device")
			}
			return c.line("Success! Enabled the %s audit device at: %s", kind, place)
		},
	}
}

func auditDisableSpec() spec {
	return spec{
		use: "disable PATH", short: "Disable an audit device of a server", least: 1, most: 1,
		run: func(c *call) error {
			client, err := c.connect()
			if err != nil {
				return err
			}
			place := slashed(clean(c.args[0]))
			if _, err := client.Delete(c.ctx, "sys/audit/"+clean(place), nil); err != nil {
				return refused(err, "Error disabling audit device")
			}
			return c.line("Success! Disabled audit device (if it was enabled) at: %s", place)
		},
	}
}
