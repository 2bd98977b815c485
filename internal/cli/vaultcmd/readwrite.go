package vaultcmd

import (
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/spf13/pflag"

	"github.com/ArcadeLabsInc/zvault/internal/vaultclient"
)

// safer is the hint of every command that takes values.
const safer = "A value typed as key=value is seen by every program of this machine and by the shell's history; key=- takes it from stdin, " +
	"key=@file from a file, and - or @file a JSON object with all of them."

func readSpec() spec {
	return spec{
		use: "read PATH [key=value...]", short: "Read data from a server", long: "Read data, and print it. The pairs become parameters of the URL.",
		example: "  zvault read sys/mounts/secret\n  zvault read -field=ttl auth/token/lookup-self",
		least:   1, most: -1, field: true, format: true, raw: true,
		run: func(c *call) error {
			query, err := c.query(1)
			if err != nil {
				return err
			}
			client, err := c.connect()
			if err != nil {
				return err
			}
			path := clean(c.args[0])
			if c.format == asRaw {
				return c.readRaw(client, path, query)
			}
			s, err := client.Read(c.ctx, path, query)
			switch {
			case err != nil:
				return refused(err, "Error reading %s", path)
			case s == nil:
				return nothing("No value found at %s", path)
			}
			return c.secret(s)
		},
	}
}

// readRaw prints an answer as it came.
func (c *call) readRaw(client *vaultclient.Client, path string, query url.Values) error {
	answer, err := client.Do(c.ctx, vaultclient.Request{Method: http.MethodGet, Path: path, Query: query})
	if answer != nil {
		defer func() { _ = answer.Body.Close() }() // only read from
	}
	if err != nil {
		return refused(err, "Error reading %s", path)
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return refused(err, "Error reading %s", path)
	}
	return c.line("%s", body)
}

// forceFlag adds -force with its short form.
func forceFlag(f *pflag.FlagSet, to *bool, usage string) { f.BoolVarP(to, "force", "f", false, usage) }

func writeSpec() spec {
	var force bool
	return spec{
		use: "write PATH [key=value...]", short: "Write data to a server", long: "Write data, and print what is answered. " + safer,
		example: "  zvault write auth/userpass/users/ann password=- policies=web\n  zvault write -force transit/keys/app\n  zvault write sys/policies/acl/web policy=@web.hcl",
		least:   1, most: -1, field: true, format: true,
		flags: func(f *pflag.FlagSet) { forceFlag(f, &force, "write although there is no data") },
		run: func(c *call) error {
			return c.write(force, func(client *vaultclient.Client, path string, data any) (*vaultclient.Secret, error) {
				return client.Write(c.ctx, path, data)
			})
		},
	}
}

func patchSpec() spec {
	var force bool
	return spec{
		use: "patch PATH [key=value...]", short: "Change a part of data on a server", long: "Change a part of data with a JSON merge patch, and print what is answered. " + safer,
		least: 1, most: -1, field: true, format: true,
		flags: func(f *pflag.FlagSet) { forceFlag(f, &force, "patch although there is no data") },
		run: func(c *call) error {
			return c.write(force, func(client *vaultclient.Client, path string, data any) (*vaultclient.Secret, error) {
				return client.Patch(c.ctx, path, data)
			})
		},
	}
}

func (c *call) write(force bool, send func(*vaultclient.Client, string, any) (*vaultclient.Secret, error)) error {
	if len(c.args) == 1 && !force {
		return usage("Must supply data or use -force")
	}
	data, err := c.data(1)
	if err != nil {
		return err
	}
	client, err := c.connect()
	if err != nil {
		return err
	}
	path := clean(c.args[0])
	s, err := send(client, path, data)
	return c.written(path, s, err)
}

// written prints what a write answered.
func (c *call) written(path string, s *vaultclient.Secret, err error) error {
	if err != nil {
		if s != nil {
			c.warnings(s)
		}
		return refused(err, "Error writing data to %s", path)
	}
	if s == nil {
		return c.done("Success! Data written to: %s", path)
	}
	return c.secret(s)
}

func deleteSpec() spec {
	return spec{
		use: "delete PATH [key=value...]", short: "Delete data on a server", long: "Delete data. The pairs become parameters of the URL.",
		least: 1, most: -1, field: true, format: true,
		run: func(c *call) error {
			query, err := c.query(1)
			if err != nil {
				return err
			}
			client, err := c.connect()
			if err != nil {
				return err
			}
			path := clean(c.args[0])
			s, err := client.Delete(c.ctx, path, query)
			return c.deleted(path, s, err)
		},
	}
}

// deleted prints what a deletion answered.
func (c *call) deleted(path string, s *vaultclient.Secret, err error) error {
	if err != nil {
		return refused(err, "Error deleting %s", path)
	}
	if s == nil {
		return c.done("Success! Data deleted (if it existed) at: %s", path)
	}
	return c.secret(s)
}

func listSpec() spec {
	var after string
	var limit int
	return spec{
		use: "list PATH", short: "List what is below a path on a server", least: 1, most: 1, format: true, detailed: true,
		example: "  zvault list secret/metadata\n  zvault list -format=json auth/userpass/users",
		flags: func(f *pflag.FlagSet) {
			f.StringVar(&after, "after", "", "only what comes behind this key, where the server pages")
			f.IntVar(&limit, "limit", -1, "at most so many, where the server pages")
		},
		run: func(c *call) error {
			client, err := c.connect()
			if err != nil {
				return err
			}
			query := url.Values{}
			if after != "" {
				query.Set("after", after)
			}
			if limit > 0 {
				query.Set("limit", strconv.Itoa(limit))
			}
			path := clean(c.args[0])
			s, err := client.List(c.ctx, path, query)
			if err != nil {
				return refused(err, "Error listing %s", path)
			}
			return c.list(s, path)
		},
	}
}
