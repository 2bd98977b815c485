package vaultcmd

import (
	"net/url"
	"strconv"

	"github.com/spf13/pflag"

	"github.com/ArcadeLabsInc/zvault/internal/vaultclient"
)

func kvGetSpec() spec {
	var mount string
	var version int
	return spec{
		use: "get PATH", short: "Print what a key holds", least: 1, most: 1, field: true, format: true,
		example: "  zvault kv get -mount=secret app\n  zvault kv get -field=password -version=2 secret/app",
		flags: func(f *pflag.FlagSet) {
			mountFlag(f, &mount)
			f.IntVar(&version, "version", 0, "this version instead of the newest")
		},
		run: func(c *call) error {
			client, p, err := c.kv(mount)
			if err != nil {
				return err
			}
			var query url.Values
			if p.v2 && version > 0 {
				query = url.Values{"version": {strconv.Itoa(version)}}
			}
			full := p.at("data")
			s, err := client.Read(c.ctx, full, query)
			switch {
			case err != nil:
				return refused(err, "Error reading %s", full)
			case s == nil:
				return nothing("No value found at %s", full)
			case c.field != "" && p.v2:
				return c.kvField(s, full)
			case c.field != "" || s.WrapInfo != nil || c.format != asTable:
				return c.secret(s)
			}
			return c.kvTable(s, p.v2, full)
		},
	}
}

// kvField prints a field of the data of version 2; "data" is all of it unless there is a field of that name.
func (c *call) kvField(s *vaultclient.Secret, full string) error {
	if s.WrapInfo != nil {
		return c.secret(s)
	}
	data, ok := s.Data["data"].(map[string]any)
	if !ok {
		return nothing("No data found at %s", full)
	}
	value := data[c.field]
	if value == nil && c.field == "data" {
		value = data
	}
	return c.one(value)
}

// kvTable prints where it is, what is known of it, and what it holds.
func (c *call) kvTable(s *vaultclient.Secret, v2 bool, full string) error {
	c.warnings(s)
	data := s.Data
	if v2 {
		if err := c.place("Secret Path", full); err != nil {
			return err
		}
		data, _ = s.Data["data"].(map[string]any)
	}
	if metadata, ok := s.Data["metadata"].(map[string]any); ok {
		if err := c.titled("Metadata", metadata); err != nil {
			return err
		}
		if err := c.line(""); err != nil {
			return err
		}
	}
	if data == nil {
		return nil
	}
	return c.titled("Data", data)
}

// place prints a path under a heading.
func (c *call) place(heading, full string) error {
	return c.line("%s\n%s\n", title(heading, len(full)), full)
}

// titled prints a map under a heading as wide as the map.
func (c *call) titled(heading string, m map[string]any) error {
	widest := 0
	for k := range m {
		widest = max(widest, len(k))
	}
	if err := c.line("%s", title(heading, widest+len(gap)+len("Value"))); err != nil {
		return err
	}
	return c.object(m)
}

// kvWritten prints what a write to an engine answered.
func (c *call) kvWritten(full string, s *vaultclient.Secret, err error) error {
	if err != nil || s == nil || c.field != "" || s.WrapInfo != nil || c.format != asTable {
		return c.written(full, s, err)
	}
	c.warnings(s)
	if err := c.place("Secret Path", full); err != nil {
		return err
	}
	return c.titled("Metadata", s.Data)
}

func kvListSpec() spec {
	var mount string
	return spec{
		use: "list PATH", short: "List keys", most: 1, format: true, detailed: true,
		example: "  zvault kv list secret\n  zvault kv list -mount=secret team",
		flags:   func(f *pflag.FlagSet) { mountFlag(f, &mount) },
		run: func(c *call) error {
			if mount == "" && len(c.args) == 0 {
				return usage("Not enough arguments (expected 1, got 0)")
			}
			client, p, err := c.kv(mount)
			if err != nil {
				return err
			}
			full := p.at("metadata")
			s, err := client.List(c.ctx, full, nil)
			if err != nil {
				return refused(err, "Error listing %s", full)
			}
			return c.list(s, full)
		},
	}
}
