package vaultcmd

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ArcadeLabsInc/zvault/internal/vaultclient"
)

func (h *Host) operatorCommands() []*cobra.Command {
	all := h.commands(initSpec(), unsealSpec(), sealSpec(), rekeySpec(), generateRootSpec(), rotateSpec(), keyStatusSpec())
	return append(all, group("snapshot", "Save and restore a server's data", "Save and restore all of a server's data, encrypted as it is kept.",
		h.commands(snapshotSaveSpec(), snapshotRestoreSpec())...))
}

// pgpKeys reads files with public keys, named in one flag with commas between; the server takes them as base64.
func pgpKeys(given string) ([]string, error) {
	var keys []string
	for name := range strings.SplitSeq(given, ",") {
		name = strings.TrimSpace(name)
		switch {
		case name == "":
			continue
		case strings.HasPrefix(name, "keybase:"):
			return nil, usage("%s: keys are read from files alone; save it to one", name)
		}
		content, err := os.ReadFile(strings.TrimPrefix(name, "@"))
		if err != nil {
			return nil, broken(err, "reading a PGP key")
		}
		text := strings.TrimSpace(string(content))
		if strings.HasPrefix(text, "-----BEGIN PGP") {
			return nil, usage("reading a PGP key: %q is armored; export it without --armor", name)
		}
		if _, err := base64.StdEncoding.DecodeString(text); err != nil {
			text = base64.StdEncoding.EncodeToString(content)
		}
		keys = append(keys, text)
	}
	return keys, nil
}

// ask sends a request to sys and reads the answer.
func (c *call) ask(client *vaultclient.Client, method, path string, body map[string]any, into any) error {
	return client.JSON(c.ctx, vaultclient.Request{Method: method, Path: path, Body: body}, into)
}

func unsealSpec() spec {
	var reset, migrate bool
	return spec{
		use: "unseal [KEY]", short: "Give a server a part of its key", most: 1, format: true,
		long: "Give a server a part of its key. The part is asked for if it is not given; - takes it from stdin. As an argument every program of this machine can see it.",
		flags: func(f *pflag.FlagSet) {
			f.BoolVar(&reset, "reset", false, "forget the parts that were given")
			f.BoolVar(&migrate, "migrate", false, "the part is for moving to another seal")
		},
		run: func(c *call) error {
			client, err := c.connect()
			if err != nil {
				return err
			}
			body, failure := map[string]any{"reset": true}, "Error resetting unseal process"
			if !reset {
				given := ""
				if len(c.args) == 1 {
					given = c.args[0]
				}
				key, err := c.secretInput(given, "Unseal Key")
				if err != nil {
					return err
				}
				body, failure = map[string]any{"key": key}, "Error unsealing"
				if migrate {
					body["migrate"] = true
				}
			}
			var st sealStatus
			if err := c.ask(client, http.MethodPut, "sys/unseal", body, &st); err != nil {
				return refused(err, "%s", failure)
			}
			return c.sealStatus(client, st)
		},
	}
}

func sealSpec() spec {
	return spec{
		use: "seal", short: "Seal a server", long: "Seal a server: it forgets its key, and answers nothing until it is unsealed.",
		run: func(c *call) error {
			client, err := c.connect()
			if err != nil {
				return err
			}
			if _, err := client.Write(c.ctx, "sys/seal", nil); err != nil {
				return refused(err, "Error sealing")
			}
			return c.line("Success! Vault is sealed.")
		},
	}
}

func rotateSpec() spec {
	return spec{
		use: "rotate", short: "Encrypt what is written from now on with a new key", format: true,
		run: func(c *call) error {
			client, err := c.connect()
			if err != nil {
				return err
			}
			if _, err := client.Post(c.ctx, "sys/rotate", nil); err != nil {
				return refused(err, "Error rotating key")
			}
			if err := c.done("Success! Rotated key\n"); err != nil {
				return err
			}
			return c.keyStatus(client)
		},
	}
}

func keyStatusSpec() spec {
	return spec{
		use: "key-status", short: "Show which key is in use", format: true,
		run: func(c *call) error {
			client, err := c.connect()
			if err != nil {
				return err
			}
			return c.keyStatus(client)
		},
	}
}

func snapshotSaveSpec() spec {
	return spec{
		use: "save FILE", short: "Save all data to a file", least: 1, most: 1,
		run: func(c *call) error {
			path := strings.TrimSpace(c.args[0])
			if path == "" {
				return usage("Output file name is required")
			}
			client, err := c.connect()
			if err != nil {
				return err
			}
			answer, err := client.Do(c.ctx, vaultclient.Request{Method: http.MethodGet, Path: "sys/storage/raft/snapshot", Long: true})
			if answer != nil {
				defer func() { _ = answer.Body.Close() }() // only read from
			}
			if err != nil {
				return refused(err, "Error taking the snapshot")
			}
			if err := saveStream(path, answer.Body); err != nil {
				return refused(err, "Error taking the snapshot")
			}
			return nil
		},
	}
}

func snapshotRestoreSpec() spec {
	var force bool
	return spec{
		use: "restore FILE", short: "Put the data of a file in the place of all there is", least: 1, most: 1,
		flags: func(f *pflag.FlagSet) { forceFlag(f, &force, "even if the file is of a server with another key") },
		run: func(c *call) error {
			file, err := os.Open(strings.TrimSpace(c.args[0]))
			if err != nil {
				return refused(pathless(err), "opening %q", c.args[0])
			}
			defer func() { _ = file.Close() }() // only read from
			client, err := c.connect()
			if err != nil {
				return err
			}
			path := "sys/storage/raft/snapshot"
			if force {
				path += "-force"
			}
			r := vaultclient.Request{Method: http.MethodPost, Path: path, Raw: file, ContentType: "application/octet-stream", Long: true}
			answer, err := client.Do(c.ctx, r)
			if answer != nil {
				defer func() { _ = answer.Body.Close() }() // nothing of it is needed
			}
			if err != nil {
				return refused(err, "Error installing the snapshot")
			}
			return nil
		},
	}
}

// pathless is the cause of an error about a file, without the file's name.
func pathless(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return fmt.Errorf("%w", p.Err)
	}
	return err
}
