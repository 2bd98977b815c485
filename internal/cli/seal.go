package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/local"
	"github.com/ArcadeLabsInc/zvault/internal/seal/session"
)

func (a *app) sealCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "seal",
		Short: "Close the vault until it is unsealed",
		Long: `Close the vault. With a passphrase or shares, the key that the system kept since ` + "`zvault unseal`" + ` is forgotten. A vault
whose key lies in a file or in the keychain is only marked: zvault refuses to open it, but whoever can read that key still could.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := a.open(cmd.Context()); err != nil {
				if errors.Is(err, local.ErrSealed) {
					a.say("the vault is sealed already")
					return nil
				}
				return err
			}
			if err := a.vault.Lock(cmd.Context()); err != nil {
				return err
			}
			a.say("the vault is sealed")
			return nil
		},
	}
}

func (a *app) unsealCommand() *cobra.Command {
	var ttl time.Duration
	c := &cobra.Command{
		Use:   "unseal",
		Short: "Open a sealed vault for some hours",
		Long: `Open a sealed vault: asks for the passphrase or for key shares (or reads shares from stdin, one a line). The key is then kept
by the system, in memory and for this user alone, until the time is over or ` + "`zvault seal`" + ` ends it.`,
		Example: "  zvault unseal --for 2h",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			home, err := a.home()
			if err != nil {
				return err
			}
			o := a.localOptions()
			o.Shares = a.collectShares
			err = local.Unseal(cmd.Context(), home, o, ttl)
			if errors.Is(err, session.ErrUnavailable) {
				return withHint(fmt.Errorf("the vault opens, but %w", err), "without it, each command asks for the passphrase; ZVAULT_PASSPHRASE_FILE can name a file that holds it")
			}
			if err != nil {
				return explainOpening(err)
			}
			a.say("the vault is open")
			return nil
		},
	}
	c.Flags().DurationVar(&ttl, "for", 8*time.Hour, "how long")
	return c
}

func (a *app) rekeyCommand() *cobra.Command {
	var f sealFlags
	c := &cobra.Command{
		Use:   "rekey",
		Short: "Change how the vault is sealed: another passphrase, other shares, another kind",
		Example: `  zvault rekey --seal passphrase
  zvault rekey --seal shamir --shares 5 --threshold 3`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			if _, err := a.open(ctx); err != nil {
				return err
			}
			if f.kind == "" {
				f.kind = a.vault.Seal.Type
			}
			p, err := a.newSeal(a.vault.Home, f)
			if err != nil {
				return err
			}
			if err := a.vault.Rekey(ctx, p); err != nil {
				return err
			}
			a.say("the vault is now sealed by %s", p.Type())
			return nil
		},
	}
	f.add(c)
	return c
}

func (a *app) rotateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "rotate",
		Short: "Make new encryption keys and seal everything stored anew",
		Long: `Make new keys at every level (vault, organisation, projects), seal everything stored with them, and drop the old ones. It can be
stopped and started again at any time; other commands work meanwhile. The values of the secrets stay as they are.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := a.open(cmd.Context()); err != nil {
				return err
			}
			bar := a.progress()
			if err := a.vault.Rotate(cmd.Context(), bar.show); err != nil {
				return err
			}
			bar.end()
			a.say("all keys are new")
			return nil
		},
	}
}
