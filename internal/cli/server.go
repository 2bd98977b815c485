package cli

import (
	"context"
	"errors"
	"log/slog"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/cli/vaultcmd"
	"github.com/ArcadeLabsInc/zvault/internal/runner"
	"github.com/ArcadeLabsInc/zvault/internal/server"
	"github.com/ArcadeLabsInc/zvault/internal/version"
)

func (a *app) serverCommand() *cobra.Command {
	var c server.Config
	var file string
	cmd := &cobra.Command{
		Use:   "server",
		Short: "Serve Vault's HTTP API",
		Long: `server answers the HTTP API of HashiCorp Vault and OpenBao, so that their clients work with nothing changed but the address.

The first start makes the vault, unseals it with a key file in the data directory, and prints the root token, once. With
--seal shamir an operator does that instead: zvault operator init, zvault operator unseal.

Several servers may share one PostgreSQL database: give each the same --database and the same ZVAULT_UNSEAL_KEY.`,
		Example: `  zvault server --dev
  zvault server --data /var/lib/zvault
  zvault server --config /etc/zvault/server.toml
  zvault server --database postgres://zvault@db/zvault --seal env`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := fromFile(cmd.Flags(), file); err != nil {
				return err
			}
			return a.serve(cmd, c, file)
		},
	}
	f := cmd.Flags()
	f.StringVar(&file, "config", a.getenv("ZVAULT_CONFIG"), "file with these settings, in TOML; flags win over it (default: $ZVAULT_CONFIG)")
	f.StringVar(&c.Dir, "data", "", "directory of the data (default: server below $ZVAULT_HOME)")
	f.StringVar(&c.Storage, "storage", "", "sqlite, bbolt or memory (default sqlite)")
	f.StringVar(&c.Database, "database", a.getenv("ZVAULT_DATABASE"), "URL of a PostgreSQL database to keep the data in (default: $ZVAULT_DATABASE)")
	f.StringVar(&c.Seal, "seal", "", "keyfile, env ($ZVAULT_UNSEAL_KEY) or shamir (default keyfile; env with --database)")
	f.StringVar(&c.Listen, "listen", "127.0.0.1:8200", "address to listen on")
	f.StringVar(&c.CertFile, "tls-cert", "", "file of the TLS certificate; needed unless the address is loopback")
	f.StringVar(&c.KeyFile, "tls-key", "", "file of the certificate's key")
	f.StringVar(&c.AuditSync, "audit-sync", "disk", "when an entry of the audit log counts as written: disk or os")
	f.IntVar(&c.CacheMB, "cache-mb", 0, "megabytes of memory for entries that are kept decoded (default 64)")
	f.StringVar(&c.LogLevel, "log-level", "info", "debug, info, warn or error")
	f.BoolVar(&c.Dev, "dev", false, "a throw-away server in memory, unsealed, with a root token and kv at secret/")
	f.StringVar(&c.DevToken, "dev-root-token-id", "", "the root token of --dev")
	vaultcmd.OneDash(cmd)
	cmd.AddCommand(a.serverConfigCommand())
	return cmd
}

// serverGC is how much the heap may grow between collections, in percent: what lives is little more than the cache, and collecting
// more often costs more requests than the memory is worth.
const serverGC = 300

func (a *app) serve(cmd *cobra.Command, c server.Config, file string) error {
	if err := c.Validate(); err != nil {
		return err
	}
	if err := runner.Harden(); err != nil {
		return err
	}
	debug.SetGCPercent(serverGC)
	if c.Dev {
		c.Storage = "memory"
	}
	if c.Dir == "" && c.Storage != "memory" {
		home, err := a.home()
		if err != nil {
			return err
		}
		c.Dir = filepath.Join(home, "server")
	}
	c.Level = &slog.LevelVar{}
	c.Version, c.Log = version.Get().Version, slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: c.Level}))
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGTERM)
	defer stop()
	s, err := server.Open(ctx, c)
	if err != nil {
		return err
	}
	defer a.reloadOnHangup(ctx, cmd.Flags(), s, c, file)()
	return errors.Join(a.listen(ctx, s, c), s.Close())
}

func (a *app) listen(ctx context.Context, s *server.Running, c server.Config) error {
	addr, err := s.Listen(ctx)
	if err != nil {
		return err
	}
	scheme := "http"
	if c.CertFile != "" {
		scheme = "https"
	}
	lines := "listening on " + scheme + "://" + addr.String() + "\n"
	if s.RootToken != "" {
		lines += "root token: " + s.RootToken + "\n"
	}
	if s.Core.Sealed() {
		lines += "the vault is sealed: `zvault operator init` makes one, `zvault operator unseal` opens it\n"
	}
	if err := a.data("%s", lines); err != nil {
		return err
	}
	return s.Serve(ctx)
}
