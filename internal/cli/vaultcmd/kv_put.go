package vaultcmd

import (
	"net/http"

	"github.com/spf13/pflag"

	"github.com/ArcadeLabsInc/zvault/internal/vaultclient"
)

func kvPutSpec() spec {
	var mount string
	var cas int
	return spec{
		use: "put PATH key=value...", short: "Set what a key holds", long: "Set all that a key holds. " + safer,
		least: 1, most: -1, field: true, format: true,
		example: "  zvault kv put secret/app user=app password=-\n  zvault kv put -mount=secret app @app.json",
		flags: func(f *pflag.FlagSet) {
			mountFlag(f, &mount)
			f.IntVar(&cas, "cas", -1, "write only if the newest version is this one; 0 only if there is none")
		},
		run: func(c *call) error {
			if len(c.args) == 1 {
				return usage("Must supply data")
			}
			data, err := c.data(1)
			if err != nil {
				return err
			}
			client, p, err := c.kv(mount)
			if err != nil {
				return err
			}
			body := data
			if p.v2 {
				options := map[string]any{}
				if cas >= 0 {
					options["cas"] = cas
				}
				body = map[string]any{"data": data, "options": options}
			}
			full := p.at("data")
			s, err := client.Write(c.ctx, full, body)
			return c.kvWritten(full, s, err)
		},
	}
}

// kvPatch are the flags of kv patch.
type kvPatch struct {
	mount, method string
	cas           int
	remove        []string
}

func kvPatchSpec() spec {
	var p kvPatch
	return spec{
		use: "patch PATH key=value...", short: "Change a part of what a key holds", long: "Change a part of what a key of version 2 holds. " + safer,
		least: 1, most: -1, field: true, format: true,
		flags: func(f *pflag.FlagSet) {
			mountFlag(f, &p.mount)
			f.StringVar(&p.method, "method", "", "patch: let the server do it; rw: read, change and write (default: patch, else rw)")
			f.IntVar(&p.cas, "cas", 0, "change only if the newest version is this one")
			f.StringArrayVar(&p.remove, "remove-data", nil, "take this field away; may be given again")
		},
		run: p.run,
	}
}

func (p *kvPatch) run(c *call) error {
	if len(c.args) == 1 && len(p.remove) == 0 {
		return usage("Must supply data")
	}
	data, err := c.data(1)
	if err != nil {
		return err
	}
	for _, name := range p.remove {
		data[name] = nil
	}
	if p.method != "" && p.method != "rw" && p.method != "patch" {
		return usage("Unsupported method provided to -method flag: %s", p.method)
	}
	client, at, err := c.kv(p.mount)
	if err != nil {
		return err
	}
	if !at.v2 {
		return nothing("K/V engine mount must be version 2 for patch support")
	}
	full := at.at("data")
	if p.method == "rw" {
		return p.readWrite(c, client, full, data)
	}
	options := map[string]any{}
	if p.cas > 0 {
		options["cas"] = p.cas
	}
	s, err := client.Patch(c.ctx, full, map[string]any{"data": data, "options": options})
	switch status := vaultclient.StatusOf(err); {
	case p.method == "" && status == http.StatusForbidden:
		c.warn("the token may not patch %s, so it is read and written; the capability \"patch\" would do it in one step", full)
		return p.readWrite(c, client, full, data)
	case p.method == "" && status == http.StatusMethodNotAllowed:
		return p.readWrite(c, client, full, data)
	}
	return c.kvWritten(full, s, err)
}

// readWrite reads the newest version, changes it, and writes it back if no other came in between.
func (p *kvPatch) readWrite(c *call, client *vaultclient.Client, full string, change map[string]any) error {
	data, version, err := c.kvVersion(client, full, nil)
	if err != nil {
		return err
	}
	for k, v := range change {
		if v == nil {
			delete(data, k)
			continue
		}
		data[k] = v
	}
	cas := version
	if p.cas > 0 {
		cas = p.cas
	}
	s, err := client.Write(c.ctx, full, map[string]any{"data": data, "options": map[string]any{"cas": cas}})
	return c.kvWritten(full, s, err)
}
