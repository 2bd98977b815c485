package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/local"
)

func (a *app) backupCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE",
		Short: "Write the whole vault into one encrypted file",
		Long: `Write the whole vault, with all versions and the audit log, into one file, sealed with a passphrase. The file and the passphrase are
enough to restore it anywhere. Other commands may run meanwhile. An existing file is not overwritten.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			ctx := cmd.Context()
			path := a.path(args[0])
			if _, err := os.Stat(path); err == nil {
				return fmt.Errorf("%s exists already; nothing was written", args[0])
			}
			if _, err := a.open(ctx); err != nil {
				return err
			}
			phrase, err := a.newPassphrase()
			if err != nil {
				return err
			}
			f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
			if err != nil {
				return fmt.Errorf("writing the backup: %w", err)
			}
			err = a.vault.Backup(ctx, f, phrase)
			if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
				err = os.Rename(f.Name(), path)
			}
			if err != nil {
				return errors.Join(fmt.Errorf("writing the backup: %w", err), os.Remove(f.Name()))
			}
			a.say("wrote %s; keep the passphrase: nothing else opens it", args[0])
			return nil
		},
	}
}

// path makes a path absolute, from the directory that the command was called in.
func (a *app) path(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(a.dir, path)
}

func (a *app) restoreCommand() *cobra.Command {
	var f sealFlags
	c := &cobra.Command{
		Use:   "restore FILE",
		Short: "Make the vault of a backup",
		Long: `Make the vault of a backup, where there is none yet: read, check and open it completely, and seal it anew. A wrong passphrase or a damaged file
changes nothing.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			home, err := a.home()
			if err != nil {
				return err
			}
			if local.Exists(home) {
				return withHint(fmt.Errorf("%w in %s; nothing was changed", local.ErrExists, home), "set ZVAULT_HOME to another directory, or move that one away")
			}
			file, err := os.Open(a.path(args[0]))
			if err != nil {
				return fmt.Errorf("reading the backup: %w", err)
			}
			defer func() { err = errors.Join(err, file.Close()) }()
			phrase, err := a.passphrase("passphrase of the backup")
			if err != nil {
				return err
			}
			p, err := a.newSeal(home, f)
			if err != nil {
				return err
			}
			if err := local.Restore(cmd.Context(), file, home, phrase, p, a.localOptions()); err != nil {
				return fmt.Errorf("restoring %s: %w", args[0], err)
			}
			a.say("restored the vault in %s, sealed by %s", home, p.Type())
			return nil
		},
	}
	f.add(c)
	return c
}
