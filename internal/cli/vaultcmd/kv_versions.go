package vaultcmd

import (
	"net/url"
	"strconv"

	"github.com/spf13/pflag"

	"github.com/ArcadeLabsInc/zvault/internal/vaultclient"
)

// kvVersion reads a version of a key: its data, and its number. A version that was deleted or destroyed has no data.
func (c *call) kvVersion(client *vaultclient.Client, full string, query url.Values) (map[string]any, any, error) {
	s, err := client.Live().Read(c.ctx, full, query)
	if err != nil {
		return nil, nil, refused(err, "Error doing pre-read at %s", full)
	}
	if s == nil || s.Data == nil {
		return nil, nil, nothing("No value found at %s", full)
	}
	metadata, ok := s.Data["metadata"].(map[string]any)
	if !ok {
		return nil, nil, nothing("No metadata found at %s; this only works on existing data", full)
	}
	data, ok := s.Data["data"].(map[string]any)
	if !ok {
		return nil, metadata["version"], nothing("No data found at %s; this only works on existing data", full)
	}
	return data, metadata["version"], nil
}

func kvRollbackSpec() spec {
	var mount string
	var version int
	return spec{
		use: "rollback -version=N PATH", short: "Make an earlier version the newest", least: 1, most: 1, field: true, format: true,
		flags: func(f *pflag.FlagSet) {
			mountFlag(f, &mount)
			f.IntVar(&version, "version", 0, "the version to go back to")
		},
		run: func(c *call) error {
			if !c.given("version") {
				return usage("Version flag must be specified")
			}
			if version <= 0 {
				return usage("Invalid value %d for the version flag", version)
			}
			client, p, err := c.kv(mount)
			if err != nil {
				return err
			}
			if !p.v2 {
				return nothing("K/V engine mount must be version 2 for rollback support")
			}
			full := p.at("data")
			newest, err := c.kvNewest(client, full)
			if err != nil {
				return err
			}
			data, _, err := c.kvVersion(client, full, url.Values{"version": {strconv.Itoa(version)}})
			if err != nil {
				return err
			}
			s, err := client.Write(c.ctx, full, map[string]any{"data": data, "options": map[string]any{"cas": newest}})
			return c.written(full, s, err)
		},
	}
}

// kvNewest is the number of the newest version, which may be a deleted one.
func (c *call) kvNewest(client *vaultclient.Client, full string) (any, error) {
	_, newest, err := c.kvVersion(client, full, nil)
	if newest != nil {
		return newest, nil
	}
	return nil, err
}

func kvDeleteSpec() spec {
	var mount string
	var versions []string
	return spec{
		use: "delete PATH", short: "Delete the newest version of a key, or others", least: 1, most: 1, field: true, format: true,
		long: "Delete the newest version of a key, or those that -versions names. What version 2 deletes can be undeleted.",
		flags: func(f *pflag.FlagSet) {
			mountFlag(f, &mount)
			f.StringArrayVar(&versions, "versions", nil, "the versions, as 1,2")
		},
		run: func(c *call) error {
			client, p, err := c.kv(mount)
			if err != nil {
				return err
			}
			full := p.at("data")
			var s *vaultclient.Secret
			if list := versionList(versions); p.v2 && len(list) > 0 {
				s, err = client.Write(c.ctx, p.at("delete"), map[string]any{"versions": list})
			} else {
				s, err = client.Delete(c.ctx, full, nil)
			}
			return c.deleted(full, s, err)
		},
	}
}

func kvUndeleteSpec() spec {
	return kvOnVersions("undelete", "Undelete", "Bring deleted versions of a key back")
}

func kvDestroySpec() spec {
	return kvOnVersions("destroy", "Destroy", "Take versions of a key away for good")
}

// kvOnVersions is a command that does something to versions of a key.
func kvOnVersions(part, name, short string) spec {
	var mount string
	var versions []string
	return spec{
		use: part + " -versions=N,... PATH", short: short, least: 1, most: 1, format: true,
		flags: func(f *pflag.FlagSet) {
			mountFlag(f, &mount)
			f.StringArrayVar(&versions, "versions", nil, "the versions, as 1,2")
		},
		run: func(c *call) error {
			list := versionList(versions)
			if len(list) == 0 {
				return usage("No versions provided, use the \"-versions\" flag to specify the version to %s.", part)
			}
			client, p, err := c.kv2(mount, name)
			if err != nil {
				return err
			}
			full := p.at(part)
			s, err := client.Write(c.ctx, full, map[string]any{"versions": list})
			return c.written(full, s, err)
		},
	}
}
