package cli

import (
	"context"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/cli/vaultcmd"
	"github.com/ArcadeLabsInc/zvault/internal/vaultclient"
)

// vaultHost is what the commands in Vault's form use of this program.
func (a *app) vaultHost() *vaultcmd.Host {
	return &vaultcmd.Host{
		In: a.in, Out: a.out, Err: a.err, Getenv: a.getenv, Terminal: isTerminal(a.out), JSON: func() bool { return a.json }, Ask: a.askSecret,
		TokenFile: vaultclient.DefaultTokenFile, Wait: wait,
	}
}

// wait waits, or returns earlier with the context's error.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
