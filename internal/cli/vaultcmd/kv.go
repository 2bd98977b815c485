package vaultcmd

import (
	"fmt"
	"path"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ArcadeLabsInc/zvault/internal/vaultclient"
)

const kvHelp = `Use key-value engines of a server, of version 1 and 2. A path is given as MOUNT/PATH, or as PATH with -mount=MOUNT; what version 2
puts between the two (data/, metadata/) is put there by these commands.

  zvault kv put -mount=secret app password=-
  zvault kv get -field=password secret/app`

func (h *Host) kvCommands() []*cobra.Command {
	all := h.commands(kvGetSpec(), kvPutSpec(), kvPatchSpec(), kvDeleteSpec(), kvUndeleteSpec(), kvDestroySpec(), kvListSpec(), kvRollbackSpec(),
		kvVersioningSpec())
	return append(all, group("metadata", "Look after what is known of keys", "Look after what version 2 knows of keys beside their values.",
		h.commands(kvMetaGetSpec(), kvMetaPutSpec(), kvMetaPatchSpec(), kvMetaDeleteSpec())...))
}

// mountFlag adds -mount.
func mountFlag(f *pflag.FlagSet, to *string) {
	f.StringVar(to, "mount", "", "where the engine is mounted; the path is then one below it")
}

// kvPath is a place in an engine.
type kvPath struct {
	mount, key string
	v2         bool
}

// at is the place in the API, of a part of version 2: data, metadata, delete, undelete or destroy. Version 1 has no parts.
func (p kvPath) at(part string) string {
	if !p.v2 {
		part = ""
	}
	return path.Join(p.mount, part, p.key)
}

// locate asks the server where the engine of a path begins, and of which version it is. An older server, which does not say,
// has version 1.
func (c *call) locate(client *vaultclient.Client, mount, given string) (kvPath, error) {
	asked, given := clean(mount), clean(given)
	if asked == "" {
		asked = given
	}
	s, err := client.Live().Read(c.ctx, "sys/internal/ui/mounts/"+asked, nil)
	switch {
	case vaultclient.StatusOf(err) == 403 && c.curl:
		return kvPath{}, nothing("finding the engine of %s: the token may not ask; it needs a right to something in the engine (for version 2 on MOUNT/data/...)", asked)
	case err != nil:
		return kvPath{}, refused(err, "finding the engine of %s", asked)
	case s == nil:
		return kvPath{key: path.Join(clean(mount), given)}, nil
	}
	where, _ := s.Data["path"].(string)
	options, _ := s.Data["options"].(map[string]any)
	p := kvPath{mount: clean(where), key: given, v2: fmt.Sprint(options["version"]) == "2"}
	if mount == "" {
		p.mount, p.key = below(given, p.mount)
	} else if strings.HasSuffix("/"+p.mount, "/"+asked) {
		p.mount = asked
	}
	return p, nil
}

// below splits a path into mount and key. The server names a mount from the root on, a path may start within a namespace: then
// the end of the mount is the start of the path.
func below(given, mount string) (string, string) {
	for rest := mount; rest != ""; {
		if given == rest {
			return rest, ""
		}
		if key, ok := strings.CutPrefix(given, rest+"/"); ok {
			return rest, key
		}
		_, rest, _ = strings.Cut(rest, "/")
	}
	return mount, given
}

// kv connects and locates the path in the first argument.
func (c *call) kv(mount string) (*vaultclient.Client, kvPath, error) {
	client, err := c.connect()
	if err != nil {
		return nil, kvPath{}, err
	}
	given := ""
	if len(c.args) > 0 {
		given = c.args[0]
	}
	p, err := c.locate(client, mount, given)
	return client, p, err
}

// kv2 is kv for what only version 2 can.
func (c *call) kv2(mount, what string) (*vaultclient.Client, kvPath, error) {
	client, p, err := c.kv(mount)
	if err == nil && !p.v2 {
		err = usage("%s not supported on KV Version 1", what)
	}
	return client, p, err
}

// versionList splits numbers given as 1,2 or in several flags.
func versionList(given []string) []string {
	var out []string
	for _, g := range given {
		for v := range strings.SplitSeq(g, ",") {
			if v = strings.TrimSpace(v); v != "" {
				out = append(out, v)
			}
		}
	}
	return out
}

func kvVersioningSpec() spec {
	return spec{
		use: "enable-versioning MOUNT", short: "Turn an engine of version 1 into version 2", least: 1, most: 1, format: true,
		run: func(c *call) error {
			client, err := c.connect()
			if err != nil {
				return err
			}
			mount := slashed(clean(c.args[0]))
			if _, err := client.Post(c.ctx, "sys/mounts/"+mount+"tune", map[string]any{"options": map[string]string{"version": "2"}}); err != nil {
				return refused(err, "Error tuning secrets engine %s", mount)
			}
			return c.line("Success! Tuned the secrets engine at: %s", mount)
		},
	}
}
