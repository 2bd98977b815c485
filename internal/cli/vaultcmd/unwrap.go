package vaultcmd

import (
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/vaultclient"
)

func unwrapSpec() spec {
	return spec{
		use: "unwrap [TOKEN]", short: "Take a wrapped answer out of its wrapping", field: true, format: true, most: 1,
		long: "Print the answer that a wrapping token stands for; that token, or the one that asks if none is given, is used up by it.",
		run: func(c *call) error {
			client, err := c.connect()
			if err != nil {
				return err
			}
			wrapping := ""
			if len(c.args) == 1 {
				wrapping = strings.TrimSpace(c.args[0])
			}
			s, err := unwrap(c, client, wrapping)
			switch {
			case err != nil:
				return refused(err, "Error unwrapping")
			case s == nil:
				return c.done("Successfully unwrapped. There was no data in the wrapped secret.")
			}
			if _, isList := keysOf(s); isList && c.field == "" {
				return c.list(s, "")
			}
			return c.secret(s)
		},
	}
}

// unwrap asks with the wrapping token itself if there is no other.
func unwrap(c *call, client *vaultclient.Client, wrapping string) (*vaultclient.Secret, error) {
	var body map[string]any
	switch {
	case wrapping == "" || wrapping == client.Token():
	case client.Token() == "":
		client.SetToken(wrapping)
	default:
		body = map[string]any{"token": wrapping}
	}
	client.SetWrapTTL("")
	return client.Write(c.ctx, "sys/wrapping/unwrap", body)
}
