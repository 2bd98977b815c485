package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ArcadeLabsInc/zvault/internal/server"
)

func (a *app) serverConfigCommand() *cobra.Command {
	config := &cobra.Command{
		Use:   "config",
		Short: "Look at a server's configuration file",
		Long: `A server's settings can be in a TOML file, which --config or $ZVAULT_CONFIG names. Flags win over the environment, the environment
over the file. On SIGHUP a running server reads the file and its certificate anew; of the settings, log_level changes then.

  data       = "/var/lib/zvault"
  storage    = "sqlite"            # bbolt, memory
  listen     = "127.0.0.1:8200"
  seal       = "keyfile"           # env, shamir
  audit_sync = "disk"              # os
  log_level  = "info"
  cache_mb   = 64

  [tls]
  cert = "/etc/zvault/server.crt"
  key  = "/etc/zvault/server.key"

  [database]                       # instead of storage
  url_file = "/etc/zvault/database"`,
		Args: cobra.NoArgs,
	}
	config.AddCommand(&cobra.Command{
		Use:     "check FILE",
		Short:   "Say what is wrong with a configuration file",
		Long:    "Read a configuration file and the certificate that it names, and say all that is wrong with them. Nothing is opened or made.",
		Example: "  zvault server config check /etc/zvault/server.toml",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			serve := a.serverCommand()
			if err := fromFile(serve.Flags(), args[0]); err != nil {
				return err
			}
			if err := configOf(serve.Flags()).Validate(); err != nil {
				return fmt.Errorf("checking %s: %w", args[0], err)
			}
			return a.data("%s is fine\n", args[0])
		},
	})
	return config
}

// fromFile sets the flags that were not given to what a file says; no file says nothing.
func fromFile(flags *pflag.FlagSet, path string) error {
	if path == "" {
		return nil
	}
	file, err := server.ReadFile(path)
	if err != nil {
		return err
	}
	values, err := file.Flags()
	if err != nil {
		return err
	}
	for name, value := range values {
		f := flags.Lookup(name)
		if f == nil || f.Changed || name == "database" && f.Value.String() != "" { // which is the environment's
			continue
		}
		if err := f.Value.Set(value); err != nil {
			return fmt.Errorf("reading the configuration %s: %s: %w", path, name, err)
		}
	}
	return nil
}

// configOf is what flags say, as far as a file can say it.
func configOf(flags *pflag.FlagSet) server.Config {
	text := func(name string) string { return flags.Lookup(name).Value.String() }
	c := server.Config{
		Dir: text("data"), Storage: text("storage"), Database: text("database"), Seal: text("seal"), Listen: text("listen"),
		CertFile: text("tls-cert"), KeyFile: text("tls-key"), AuditSync: text("audit-sync"), LogLevel: text("log-level"),
	}
	c.CacheMB, _ = flags.GetInt("cache-mb") // it is one of ours, of this type
	return c
}

// reloadOnHangup has the server look at its files again when it is told to. It returns what ends that.
func (a *app) reloadOnHangup(ctx context.Context, flags *pflag.FlagSet, s *server.Running, c server.Config, file string) func() {
	hangups := make(chan os.Signal, 1)
	notifyHangup(hangups)
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-ctx.Done():
				return
			case <-hangups:
			}
			err := fromFile(flags, file)
			if err == nil {
				err = s.Reload(configOf(flags))
			}
			if err != nil {
				c.Log.Error("the configuration could not be taken over; what was in force stays", "error", err)
				continue
			}
			c.Log.Info("the configuration was read anew")
		}
	}()
	return func() {
		signal.Stop(hangups)
		cancel()
		<-done
	}
}
