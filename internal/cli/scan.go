package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/local"
	"github.com/ArcadeLabsInc/zvault/internal/scan"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
	"github.com/ArcadeLabsInc/zvault/internal/version"
)

// fingerprinter makes what finds the vault's values in files.
func fingerprinter(key *crypt.Key) (func(secret.Value) []byte, error) {
	p, err := scan.NewPrinter(key)
	if err != nil {
		return nil, err
	}
	return p.Fingerprint, nil
}

func (a *app) scanCommand() *cobra.Command {
	var staged, history, sarif, noVault bool
	c := &cobra.Command{
		Use:   "scan [PATH]",
		Short: "Find secrets in files, in what git is about to commit, or in its history",
		Long: `Find secrets in the files below PATH (default: here), with --staged in what the next commit holds, or with --history in every version of
every file in all commits of the repository: by the rules of gitleaks, and the vault's own values, also former ones and in base64, hex and
other encodings, by keyed fingerprints. Nothing found is printed itself.

A line with zvault:allow in it is passed over by the rules. The exit status is 1 if anything was found. As a pre-commit hook:

  repos:
    - repo: https://github.com/ArcadeLabsInc/zvault
      hooks: [{id: zvault-scan}]`,
		Example: `  zvault scan
  zvault scan --staged
  zvault scan --history --sarif > history.sarif`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			own, err := a.finder(cmd, noVault)
			if err != nil {
				return err
			}
			s, err := scan.New(own)
			if err != nil {
				return err
			}
			path := a.dir
			if len(args) == 1 {
				path = args[0]
				if !filepath.IsAbs(path) {
					path = filepath.Join(a.dir, path)
				}
			}
			look := s.Dir
			switch {
			case staged:
				look = s.Staged
			case history:
				look = s.History
			}
			found, err := look(ctx, path)
			if err != nil && len(found) == 0 {
				return err
			}
			// What could not be read does not hide what was found.
			if err := errors.Join(a.findings(found, sarif), err); err != nil {
				return err
			}
			if len(found) > 0 {
				return &statusError{exitFailed}
			}
			a.say("nothing found")
			return nil
		},
	}
	c.Flags().BoolVar(&staged, "staged", false, "scan what is staged in git")
	c.Flags().BoolVar(&history, "history", false, "scan all versions of all files in the repository's branches and tags")
	c.MarkFlagsMutuallyExclusive("staged", "history")
	c.Flags().BoolVar(&sarif, "sarif", false, "print SARIF 2.1.0")
	c.Flags().BoolVar(&noVault, "no-vault", false, "use the rules only, and leave the vault closed")
	return c
}

// finder makes what finds the vault's own values. Without a vault, or with a sealed one, the rules have to do.
func (a *app) finder(cmd *cobra.Command, without bool) (*scan.Finder, error) {
	home, err := a.home()
	if err != nil || without || !local.Exists(home) {
		return nil, err
	}
	s, err := a.open(cmd.Context())
	if errors.Is(err, local.ErrSealed) {
		a.warn("the vault is sealed: its own values are not looked for")
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	prints, err := s.Fingerprints(cmd.Context(), a.caller())
	if err != nil {
		return nil, err
	}
	known := make([]scan.Known, len(prints))
	for i, p := range prints {
		known[i] = scan.Known{Secret: fmt.Sprintf("zvault://%s/%s?env=%s&version=%d", p.Project, p.Name, p.Env, p.Version), Fingerprint: p.Fingerprint}
	}
	printer, err := scan.NewPrinter(a.vault.FingerprintKey())
	if err != nil {
		return nil, err
	}
	return printer.Finder(known)
}

func (a *app) findings(found []scan.Finding, sarif bool) error {
	switch {
	case sarif:
		text, err := scan.SARIF(found, version.Get().Version)
		if err != nil {
			return err
		}
		return a.raw(append(text, '\n'))
	case a.json:
		return a.document(nonNil(found))
	}
	rows := make([][]string, len(found))
	for i, f := range found {
		rows[i] = []string{f.File + ":" + strconv.Itoa(f.Line) + ":" + strconv.Itoa(f.Column), f.Rule, first(f.Secret, f.Excerpt)}
		if f.Commit != "" {
			rows[i] = append([]string{f.Commit[:min(12, len(f.Commit))]}, rows[i]...)
		}
	}
	return a.table(nil, rows)
}
