package vaultcmd

import (
	"bytes"
	"io"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/vaultclient"
)

// anonymous returns a client with the token of the environment, if there is one: login does not read the file.
func (c *call) anonymous() (*vaultclient.Client, error) {
	config, err := c.config(c)
	if err != nil {
		return nil, refused(err, "reading the configuration")
	}
	client, err := vaultclient.New(config)
	if err != nil {
		return nil, refused(err, "reading the configuration")
	}
	client.DryRun = c.curl
	return client, nil
}

// connect returns a client with a token: the environment's, else that of the last login.
func (c *call) connect() (*vaultclient.Client, error) {
	client, err := c.anonymous()
	if err != nil || client.Token() != "" {
		return client, err
	}
	file, err := c.TokenFile()
	if err != nil {
		return nil, refused(err, "finding the token")
	}
	token, err := file.Load()
	if err != nil {
		return nil, refused(err, "finding the token")
	}
	client.SetToken(token)
	return client, nil
}

// stdin is where values given as "-" come from.
func (c *call) stdin() io.Reader {
	if c.nonInteractive {
		return bytes.NewReader(nil)
	}
	return c.In
}

// secretInput is a secret from an argument, from stdin if that is "-", or from the terminal if there is none.
func (c *call) secretInput(argument, prompt string) (string, error) {
	switch {
	case argument == "-":
		all, err := io.ReadAll(io.LimitReader(c.stdin(), maxInput))
		if err != nil {
			return "", broken(err, "reading stdin")
		}
		return strings.TrimSpace(string(all)), nil
	case argument != "":
		return strings.TrimSpace(argument), nil
	case c.nonInteractive:
		return "", usage("%s: nothing is asked with -non-interactive; give it as an argument, or - and stdin", prompt)
	}
	typed, err := c.Ask(prompt + " (will be hidden)")
	if err != nil {
		return "", broken(err, "asking for it on the terminal (give - to take it from stdin)")
	}
	return strings.TrimSpace(string(typed)), nil
}

// clean is a path without white space and slashes around it.
func clean(path string) string { return strings.Trim(strings.TrimSpace(path), "/") }

// slashed is a path with one slash at its end.
func slashed(path string) string {
	path = strings.TrimSpace(path)
	if path == "" || strings.HasSuffix(path, "/") {
		return path
	}
	return path + "/"
}
