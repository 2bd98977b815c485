package vaultcmd

import (
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/vaultclient"
)

func pathHelpSpec() spec {
	return spec{
		use: "path-help PATH", short: "Show what a path of a server is for", least: 1, most: 1, format: true,
		long: "Show the server's own help of a path. With -format=json it is the path's OpenAPI document.",
		run: func(c *call) error {
			client, err := c.connect()
			if err != nil {
				return err
			}
			var reply struct {
				Help    string          `json:"help"`
				OpenAPI json.RawMessage `json:"openapi"`
			}
			err = client.JSON(c.ctx, vaultclient.Request{Method: http.MethodGet, Path: clean(c.args[0]), Query: url.Values{"help": {"1"}}}, &reply)
			if err != nil {
				return refused(err, "Error retrieving help")
			}
			if c.format != asTable {
				return c.document(reply.OpenAPI)
			}
			return c.line("%s", reply.Help)
		},
	}
}

func (h *Host) printCommands() []*cobra.Command {
	return h.commands(spec{
		use: "token", short: "Print the token that the commands use", format: true,
		long: "Print the token of the environment, else that of the last login.",
		run: func(c *call) error {
			client, err := c.connect()
			if err != nil {
				return err
			}
			return c.line("%s", client.Token())
		},
	})
}
