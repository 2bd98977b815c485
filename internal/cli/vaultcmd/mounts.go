package vaultcmd

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/vaultclient"
)

// mountKind is what secrets engines and auth methods differ in.
type mountKind struct {
	// name is what one is called, path where the server has them, tunePrefix what stands before a mount there.
	name, list, path, tunePrefix string
	auth                         bool
}

var (
	engines = mountKind{name: "secrets engine", list: "secrets engines", path: "sys/mounts"}
	methods = mountKind{name: "auth method", list: "enabled authentications", path: "sys/auth", tunePrefix: "auth/", auth: true}
)

func (h *Host) secretsCommands() []*cobra.Command {
	return h.commands(engines.listSpec(), engines.enableSpec(), engines.disableSpec(), engines.tuneSpec(), engines.moveSpec())
}

func (h *Host) authCommands() []*cobra.Command {
	return h.commands(methods.listSpec(), methods.enableSpec(), methods.disableSpec(), methods.tuneSpec(), methods.moveSpec(), authHelpSpec())
}

// mount is one that the server told of.
type mount struct {
	Type        string `json:"type"`
	Accessor    string `json:"accessor"`
	Description string `json:"description"`
	UUID        string `json:"uuid"`
	Config      struct {
		Default   int    `json:"default_lease_ttl"`
		Max       int    `json:"max_lease_ttl"`
		NoCache   bool   `json:"force_no_cache"`
		TokenType string `json:"token_type"`
	} `json:"config"`
	Options     map[string]string `json:"options"`
	Local       bool              `json:"local"`
	SealWrap    bool              `json:"seal_wrap"`
	Entropy     bool              `json:"external_entropy_access"`
	Version     string            `json:"plugin_version"`
	Running     string            `json:"running_plugin_version"`
	SHA256      string            `json:"running_sha256"`
	Deprecation string            `json:"deprecation_status"`
}

// mounts reads all of a kind.
func (k mountKind) mounts(c *call, client *vaultclient.Client) (map[string]any, map[string]mount, error) {
	s, err := client.Read(c.ctx, k.path, nil)
	if err != nil {
		return nil, nil, err
	}
	if s == nil {
		s = &vaultclient.Secret{}
	}
	text, err := json.Marshal(s.Data)
	if err != nil {
		return nil, nil, fmt.Errorf("reading mounts: %w", err)
	}
	var typed map[string]mount
	if err := json.Unmarshal(text, &typed); err != nil {
		return nil, nil, fmt.Errorf("reading mounts: %w", err)
	}
	return s.Data, typed, nil
}

func (k mountKind) listSpec() spec {
	return spec{
		use: "list", short: "List them", format: true, detailed: true, long: "List the " + k.name + "s of a server.",
		run: func(c *call) error {
			client, err := c.connect()
			if err != nil {
				return err
			}
			data, typed, err := k.mounts(c, client)
			switch {
			case err != nil:
				return refused(err, "Error listing %s", k.list)
			case c.format != asTable:
				return c.document(data)
			case c.detailed:
				return c.table(k.detailed(typed))
			}
			return c.table(k.simple(typed))
		},
	}
}

func (k mountKind) simple(all map[string]mount) ([]string, [][]string) {
	header := []string{"Path", "Type", "Accessor", "Description"}
	if k.auth {
		header = append(header, "Version")
	}
	var rows [][]string
	for _, path := range slices.Sorted(maps.Keys(all)) {
		m := all[path]
		row := []string{path, m.Type, m.Accessor, m.Description}
		if k.auth {
			row = append(row, m.Version)
		}
		rows = append(rows, row)
	}
	return header, rows
}

func (k mountKind) detailed(all map[string]mount) ([]string, [][]string) {
	own := "Force No Cache"
	if k.auth {
		own = "Token Type"
	}
	header := []string{
		"Path", "Plugin", "Accessor", "Default TTL", "Max TTL", own, "Replication", "Seal Wrap", "External Entropy Access", "Options", "Description",
		"UUID", "Version", "Running Version", "Running SHA256", "Deprecation Status",
	}
	var rows [][]string
	for _, path := range slices.Sorted(maps.Keys(all)) {
		m := all[path]
		value, replication := fmt.Sprint(m.Config.NoCache), "replicated"
		if k.auth {
			value = m.Config.TokenType
		}
		if m.Local {
			replication = "local"
		}
		rows = append(rows, []string{
			path, m.Type, m.Accessor, m.ttl(m.Config.Default), m.ttl(m.Config.Max), value, replication, fmt.Sprint(m.SealWrap), fmt.Sprint(m.Entropy),
			fmt.Sprint(m.Options), m.Description, m.UUID, m.Version, m.Running, m.SHA256, m.Deprecation,
		})
	}
	return header, rows
}

// ttl prints a number of seconds; 0 is what the server has for all.
func (m mount) ttl(seconds int) string {
	switch {
	case m.Type == "system" || m.Type == "cubbyhole":
		return ""
	case seconds == 0:
		return "system"
	}
	return fmt.Sprint(seconds)
}

func (k mountKind) disableSpec() spec {
	return spec{
		use: "disable PATH", short: "Take one away, with all that is in it", least: 1, most: 1,
		run: func(c *call) error {
			client, err := c.connect()
			if err != nil {
				return err
			}
			path := slashed(clean(c.args[0]))
			if _, err := client.Delete(c.ctx, k.path+"/"+clean(path), nil); err != nil {
				return refused(err, "Error disabling %s at %s", k.name, path)
			}
			return c.line("Success! Disabled the %s (if it existed) at: %s", k.name, path)
		},
	}
}

// look is how long to wait between two looks at a move.
const look = time.Second

func (k mountKind) moveSpec() spec {
	return spec{
		use: "move FROM TO", short: "Move one to another path", least: 2, most: 2,
		run: func(c *call) error {
			client, err := c.connect()
			if err != nil {
				return err
			}
			from, to := slashed(c.args[0]), slashed(c.args[1])
			var started struct {
				ID string `json:"migration_id"`
			}
			r := vaultclient.Request{Method: http.MethodPost, Path: "sys/remount", Body: map[string]any{"from": from, "to": to}}
			if err := client.JSON(c.ctx, r, &started); err != nil {
				return refused(err, "Error moving %s %s to %s", k.name, from, to)
			}
			if err := c.line("Started moving %s %s to %s, with migration ID %s", k.name, from, to, started.ID); err != nil {
				return err
			}
			return k.await(c, client, from, to, started.ID)
		},
	}
}

// await looks at a move until it is over.
func (k mountKind) await(c *call, client *vaultclient.Client, from, to, id string) error {
	for {
		s, err := client.Read(c.ctx, "sys/remount/status/"+id, nil)
		if err != nil {
			return refused(err, "Error checking migration status of %s %s to %s", k.name, from, to)
		}
		if s == nil {
			return nothing("Error checking migration status of %s %s to %s: the server knows nothing of it", k.name, from, to)
		}
		info, _ := s.Data["migration_info"].(map[string]any)
		switch info["status"] {
		case "success":
			return c.line("Success! Finished moving %s %s to %s, with migration ID %s", k.name, from, to, id)
		case "failure":
			return nothing("Failure! The server could not move %s %s to %s, migration ID %s; its log says why", k.name, from, to, id)
		}
		if err := c.Wait(c.ctx, look); err != nil {
			return refused(err, "waiting for the move")
		}
	}
}
