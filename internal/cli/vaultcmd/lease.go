package vaultcmd

import (
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func (h *Host) leaseCommands() []*cobra.Command {
	return h.commands(leaseLookupSpec(), leaseRenewSpec(), leaseRevokeSpec())
}

func leaseLookupSpec() spec {
	return spec{
		use: "lookup ID", short: "Show what is known of a lease", least: 1, most: 1, format: true,
		run: func(c *call) error { return c.onLease("sys/leases/lookup", "error looking up lease id", nil) },
	}
}

func leaseRenewSpec() spec {
	var increment time.Duration
	return spec{
		use: "renew ID", short: "Renew a lease", least: 1, most: 1, format: true,
		flags: func(f *pflag.FlagSet) {
			durationFlag(f, &increment, "increment", "for how much longer; the server may give less")
		},
		run: func(c *call) error {
			return c.onLease("sys/leases/renew", "Error renewing", map[string]any{"increment": int(increment.Seconds())})
		},
	}
}

// onLease sends a lease's id with what else is said of it, and prints the answer.
func (c *call) onLease(path, failure string, body map[string]any) error {
	client, err := c.connect()
	if err != nil {
		return err
	}
	id := strings.TrimSpace(c.args[0])
	if body == nil {
		body = map[string]any{}
	}
	body["lease_id"] = id
	s, err := client.Write(c.ctx, path, body)
	if err != nil {
		return refused(err, "%s %s", failure, id)
	}
	return c.secret(s)
}

func leaseRevokeSpec() spec {
	var force, prefix, sync bool
	return spec{
		use: "revoke ID", short: "Revoke a lease, or all below a prefix", least: 1, most: 1,
		flags: func(f *pflag.FlagSet) {
			forceFlag(f, &force, "forget leases even if their engine cannot revoke them; with -prefix")
			f.BoolVar(&prefix, "prefix", false, "the ID is the start of the IDs")
			f.BoolVar(&sync, "sync", false, "wait until it is done")
		},
		run: func(c *call) error {
			if force && !prefix {
				return usage("Specifying -force requires also specifying -prefix")
			}
			client, err := c.connect()
			if err != nil {
				return err
			}
			id := strings.TrimSpace(c.args[0])
			path, body := "sys/leases/revoke", map[string]any{"sync": sync, "lease_id": id}
			failure, success := "Error revoking lease ", "Success! Revoked lease: "+id
			switch {
			case force:
				path, body = "sys/leases/revoke-force/"+id, nil
				failure, success = "Error force revoking leases with prefix ", "Success! Force revoked any leases with prefix: "+id
				c.warn("Warning! What the engines cannot revoke stays valid where it is used, and nothing here will know of it.")
			case prefix:
				path, body = "sys/leases/revoke-prefix/"+id, map[string]any{"sync": sync}
				failure, success = "Error revoking leases with prefix ", "Success! Revoked any leases with prefix: "+id
			}
			if !sync && !force {
				success = "All revocation operations queued successfully!"
			}
			if _, err := client.Write(c.ctx, path, body); err != nil {
				return refused(err, "%s%s", failure, id)
			}
			return c.line("%s", success)
		},
	}
}
