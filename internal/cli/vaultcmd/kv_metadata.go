package vaultcmd

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"github.com/ArcadeLabsInc/zvault/internal/vaultclient"
)

func kvMetaGetSpec() spec {
	var mount string
	return spec{
		use: "get PATH", short: "Print what is known of a key and its versions", least: 1, most: 1, field: true, format: true,
		flags: func(f *pflag.FlagSet) { mountFlag(f, &mount) },
		run: func(c *call) error {
			client, p, err := c.kv2(mount, "Metadata")
			if err != nil {
				return err
			}
			full := p.at("metadata")
			s, err := client.Read(c.ctx, full, nil)
			switch {
			case err != nil:
				return refused(err, "Error reading %s", full)
			case s == nil:
				return nothing("No value found at %s", full)
			case c.field != "" || s.WrapInfo != nil || c.format != asTable:
				return c.secret(s)
			}
			return c.kvMetaTable(s, full)
		},
	}
}

// kvMetaTable prints what is known of the key, then of each version, oldest first.
func (c *call) kvMetaTable(s *vaultclient.Secret, full string) error {
	versions, ok := s.Data["versions"].(map[string]any)
	if !ok {
		return nothing("No value found at %s", full)
	}
	about := maps.Clone(s.Data)
	delete(about, "versions")
	c.warnings(s)
	if err := c.place("Metadata Path", full); err != nil {
		return err
	}
	if err := c.titled("Metadata", about); err != nil {
		return err
	}
	numbers := slices.SortedFunc(maps.Keys(versions), byNumber)
	for _, n := range numbers {
		if err := c.line(""); err != nil {
			return err
		}
		version, _ := versions[n].(map[string]any)
		if err := c.titled("Version "+n, version); err != nil {
			return err
		}
	}
	return nil
}

// byNumber orders texts that are numbers.
func byNumber(a, b string) int {
	x, errX := strconv.Atoi(a)
	y, errY := strconv.Atoi(b)
	if errX != nil || errY != nil {
		return len(a) - len(b)
	}
	return x - y
}

func kvMetaDeleteSpec() spec {
	var mount string
	return spec{
		use: "delete PATH", short: "Take a key away with all its versions, for good", least: 1, most: 1,
		flags: func(f *pflag.FlagSet) { mountFlag(f, &mount) },
		run: func(c *call) error {
			client, p, err := c.kv2(mount, "Metadata")
			if err != nil {
				return err
			}
			full := p.at("metadata")
			if _, err := client.Delete(c.ctx, full, nil); err != nil {
				return refused(err, "Error deleting %s", full)
			}
			return c.line("Success! Data deleted (if it existed) at: %s", full)
		},
	}
}

// kvMeta are the flags of kv metadata put and patch.
type kvMeta struct {
	mount       string
	maxVersions int
	casRequired bool
	deleteAfter time.Duration
	custom      map[string]string
	remove      []string
}

func (m *kvMeta) flags(f *pflag.FlagSet) {
	mountFlag(f, &m.mount)
	f.IntVar(&m.maxVersions, "max-versions", -1, "how many versions are kept")
	f.BoolVar(&m.casRequired, "cas-required", false, "take only writes that say with -cas which version is the newest")
	durationFlag(f, &m.deleteAfter, "delete-version-after", "how long a version lasts")
	f.Var((*pairs)(&m.custom), "custom-metadata", "key=value to keep beside the key; may be given again")
}

// body has only what was given.
func (m *kvMeta) body(c *call) map[string]any {
	body := map[string]any{}
	if m.maxVersions >= 0 {
		body["max_versions"] = m.maxVersions
	}
	if c.given("cas-required") {
		body["cas_required"] = m.casRequired
	}
	if c.given("delete-version-after") {
		body["delete_version_after"] = m.deleteAfter.String()
	}
	if len(m.custom) > 0 || len(m.remove) > 0 {
		custom := map[string]any{}
		for k, v := range m.custom {
			custom[k] = v
		}
		for _, k := range m.remove {
			custom[k] = nil
		}
		body["custom_metadata"] = custom
	}
	return body
}

func kvMetaPutSpec() spec {
	var m kvMeta
	return spec{
		use: "put PATH", short: "Set how a key is kept", least: 1, most: 1, format: true, flags: m.flags,
		run: func(c *call) error {
			client, p, err := c.kv2(m.mount, "Metadata")
			if err != nil {
				return err
			}
			full := p.at("metadata")
			s, err := client.Write(c.ctx, full, m.body(c))
			return c.written(full, s, err)
		},
	}
}

func kvMetaPatchSpec() spec {
	var m kvMeta
	return spec{
		use: "patch PATH", short: "Change how a key is kept", least: 1, most: 1, format: true,
		flags: func(f *pflag.FlagSet) {
			m.flags(f)
			f.StringArrayVar(&m.remove, "remove-custom-metadata", nil, "key to take away; may be given again")
		},
		run: func(c *call) error {
			client, p, err := c.kv2(m.mount, "Metadata")
			if err != nil {
				return err
			}
			full := p.at("metadata")
			s, err := client.Patch(c.ctx, full, m.body(c))
			return c.written(full, s, err)
		},
	}
}
