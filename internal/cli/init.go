package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/local"
	"github.com/ArcadeLabsInc/zvault/internal/seal"
	"github.com/ArcadeLabsInc/zvault/internal/seal/keychain"
	"github.com/ArcadeLabsInc/zvault/internal/seal/keyfile"
	"github.com/ArcadeLabsInc/zvault/internal/seal/passphrase"
	"github.com/ArcadeLabsInc/zvault/internal/seal/shamir"
	"github.com/ArcadeLabsInc/zvault/internal/seal/shares"
	"github.com/ArcadeLabsInc/zvault/internal/seal/unsealenv"
)

// sealFlags choose how a vault is sealed.
type sealFlags struct {
	kind              string
	shares, threshold int
}

func (f *sealFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.kind, "seal", "", "how the vault is sealed: keychain, keyfile, passphrase, shamir or env (default: keychain where there is one, else keyfile)")
	c.Flags().IntVar(&f.shares, "shares", 5, "shamir: how many key shares to make")
	c.Flags().IntVar(&f.threshold, "threshold", 3, "shamir: how many of them unseal the vault")
	complete(c, "seal", keychain.Type, keyfile.Type, passphrase.Type, shares.Type, unsealenv.Type)
}

// complete offers fixed values for a flag.
func complete(c *cobra.Command, flag string, values ...string) {
	if err := c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag is not there: a mistake in this program
	}
}

func (a *app) initCommand() *cobra.Command {
	var f sealFlags
	c := &cobra.Command{
		Use:   "init",
		Short: "Make the vault",
		Long: `Make the vault of this user, in $ZVAULT_HOME or ~/.zvault. There is one for all projects, and ` + "`zvault import`" + ` makes it
when it is missing, so this command is only for choosing how it is sealed:

  keychain    the key lies in the keychain of the operating system
  keyfile     the key lies in a file beside the vault that only you can read
  passphrase  the key is made of a passphrase, asked for by ` + "`zvault unseal`" + ` or with each command
  shamir      the key is split; some of its shares are needed to unseal
  env         the key is in $` + unsealenv.Variable + ` (32 bytes, base64), for machines`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			home, err := a.home()
			if err != nil {
				return err
			}
			return a.create(cmd.Context(), home, f)
		},
	}
	f.add(c)
	return c
}

// create makes the vault and says where.
func (a *app) create(ctx context.Context, home string, f sealFlags) error {
	p, err := a.newSeal(home, f)
	if err != nil {
		return err
	}
	err = local.Create(ctx, home, p, a.localOptions())
	if f.kind == "" && p.Type() == keychain.Type && errors.Is(err, seal.ErrUnavailable) {
		a.say("the keychain cannot be used, so the key goes into a file: %v", err)
		p = keyfile.Provider{Dir: home}
		err = local.Create(ctx, home, p, a.localOptions())
	}
	if errors.Is(err, local.ErrExists) {
		return withHint(fmt.Errorf("%w in %s", err, home), "`zvault status` shows it; `zvault rekey --seal …` changes how it is sealed")
	}
	if err != nil {
		return err
	}
	a.say("made a vault in %s, sealed by %s", home, p.Type())
	return nil
}

// newSeal makes the provider for a new seal.
func (a *app) newSeal(home string, f sealFlags) (seal.Provider, error) {
	switch f.kind {
	case "":
		if keychain.Available() {
			return keychain.Provider{}, nil
		}
		return keyfile.Provider{Dir: home}, nil
	case keychain.Type:
		return keychain.Provider{}, nil
	case keyfile.Type:
		return keyfile.Provider{Dir: home}, nil
	case unsealenv.Type:
		return unsealenv.Provider{Getenv: a.getenv}, nil
	case passphrase.Type:
		phrase, err := a.newPassphrase()
		if err != nil {
			return nil, err
		}
		return passphrase.Provider{Ask: func() ([]byte, error) { return bytes.Clone(phrase), nil }, Params: crypt.Argon2Params{}}, nil
	case shares.Type:
		return &shares.Provider{Shares: f.shares, Threshold: f.threshold, Deliver: a.deliverShares}, nil
	}
	return nil, usage("there is no seal %q; choose keychain, keyfile, passphrase, shamir or env", f.kind)
}

// minPassphrase is the fewest bytes of a new passphrase.
const minPassphrase = 8

func (a *app) newPassphrase() ([]byte, error) {
	phrase, err := a.passphrase("new passphrase")
	if err != nil {
		return nil, err
	}
	if len(phrase) < minPassphrase {
		return nil, usage("a passphrase has at least %d characters", minPassphrase)
	}
	if a.getenv(passphraseFile) != "" {
		return phrase, nil
	}
	again, err := a.askSecret("once more")
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(phrase, again) {
		return nil, usage("the two passphrases are not the same")
	}
	return phrase, nil
}

// deliverShares prints the shares, the only time that they are seen.
func (a *app) deliverShares(all []shamir.Share) error {
	a.say("These are the key shares. Any %d of them unseal the vault. They are shown only now: give each to another person.", all[0].Threshold)
	if a.json {
		texts := make([]string, len(all))
		for i, s := range all {
			texts[i] = s.Text()
		}
		return a.document(map[string]any{"shares": texts, "threshold": all[0].Threshold})
	}
	for _, s := range all {
		if err := a.data("%s\n", s.Text()); err != nil {
			return err
		}
	}
	return nil
}

// collectShares reads shares: from the terminal one after the other, or from stdin, one a line.
func (a *app) collectShares(c shares.Config) ([]shamir.Share, error) {
	var all []shamir.Share
	for len(all) < c.Threshold {
		text, err := a.readShare(len(all)+1, c.Threshold)
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%d of %d shares given: %w", len(all), c.Threshold, shamir.ErrTooFew)
		}
		if err != nil {
			return nil, err
		}
		s, err := shamir.Parse(string(text))
		if err != nil {
			return nil, fmt.Errorf("share %d: %w", len(all)+1, err)
		}
		all = append(all, s)
	}
	return all, nil
}

func (a *app) readShare(n, of int) ([]byte, error) {
	if isTerminal(a.in) {
		return a.askSecret(fmt.Sprintf("share %d of %d", n, of))
	}
	for {
		line, err := readLine(a.in)
		if line = bytes.TrimSpace(line); len(line) > 0 {
			return line, nil
		}
		if err != nil {
			return nil, err
		}
	}
}
