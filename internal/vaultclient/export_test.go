package vaultclient

import (
	"context"
	"time"
)

// SetSleep replaces what waits between tries.
func (c *Client) SetSleep(sleep func(context.Context, time.Duration) error) { c.sleep = sleep }
