package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/dotenv"
	"github.com/ArcadeLabsInc/zvault/internal/local"
	"github.com/ArcadeLabsInc/zvault/internal/ref"
	"github.com/ArcadeLabsInc/zvault/internal/scan"
	"github.com/ArcadeLabsInc/zvault/internal/workspace"
)

// diagnosis is what one check of doctor found. An empty Problem is good news.
type diagnosis struct {
	Check   string `json:"check"`
	Problem string `json:"problem,omitempty"`
	Mend    string `json:"mend,omitempty"`
}

func (a *app) doctorCommand() *cobra.Command {
	var ai bool
	c := &cobra.Command{
		Use: "doctor", Short: "Look for what endangers the secrets, and say how to mend it", Args: cobra.NoArgs,
		Long: `Look at the vault and at this directory: permissions, damage, the audit log's chain, a .env with values beside the vault, secrets that git
tracks. The exit status is 1 if anything is wrong.

With --ai it looks for what an assistant that runs here as you could still see, and says how to close it: files of secrets, values in shell
histories, profiles, settings of MCP servers, transcripts and git's history, the environment, the seal, and safeguards that are missing.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			look := a.diagnose
			if ai {
				look = a.diagnoseAI
			}
			all := look(cmd.Context())
			if a.json {
				if err := a.document(all); err != nil {
					return err
				}
			}
			bad := 0
			for _, d := range all {
				if d.Problem != "" {
					bad++
				}
				if a.json {
					continue
				}
				if err := a.printDiagnosis(d); err != nil {
					return err
				}
			}
			if bad > 0 {
				return &statusError{exitFailed}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&ai, "ai", false, "look for what an assistant could see")
	return c
}

func (a *app) printDiagnosis(d diagnosis) error {
	if d.Problem == "" {
		return a.data("ok      %s\n", d.Check)
	}
	if err := a.data("WRONG   %s: %s\n", d.Check, d.Problem); err != nil {
		return err
	}
	return a.data("        mend it: %s\n", d.Mend)
}

// diagnose runs all checks.
func (a *app) diagnose(ctx context.Context) []diagnosis {
	home, err := a.home()
	if err != nil {
		return []diagnosis{{"vault", err.Error(), hintOf(err)}}
	}
	var all []diagnosis
	if !local.Exists(home) {
		all = append(all, diagnosis{"vault", "there is none in " + home, "zvault init"})
	} else {
		all = append(all, a.diagnoseModes(home)...)
		all = append(all, a.diagnoseVault(ctx)...)
	}
	return append(all, a.diagnoseProject(ctx)...)
}

// diagnoseModes looks for files of the vault that others can read.
func (a *app) diagnoseModes(home string) []diagnosis {
	d := diagnosis{Check: "permissions"}
	if runtime.GOOS == "windows" {
		return []diagnosis{d}
	}
	err := filepath.WalkDir(home, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 && d.Problem == "" {
			d.Problem = fmt.Sprintf("others can use %s (mode %04o)", path, info.Mode().Perm())
			d.Mend = "chmod -R go= " + home
		}
		return err
	})
	if err != nil {
		d.Problem, d.Mend = err.Error(), "make "+home+" readable for yourself"
	}
	return []diagnosis{d}
}

// diagnoseVault opens the vault, and looks for damage in the database and in the audit log.
func (a *app) diagnoseVault(ctx context.Context) []diagnosis {
	if _, err := a.open(ctx); err != nil {
		return []diagnosis{{"opening the vault", err.Error(), first(hintOf(err), "restore a backup: zvault restore FILE")}}
	}
	all := []diagnosis{{Check: "opening the vault"}}
	d := diagnosis{Check: "database"}
	if err := a.vault.Check(ctx); err != nil {
		d.Problem, d.Mend = err.Error(), "restore a backup: zvault restore FILE"
	}
	all = append(all, d, a.diagnoseLeftovers(ctx))
	d = diagnosis{Check: "audit log"}
	if _, err := a.vault.Audit.Verify(ctx); err != nil {
		d.Problem, d.Mend = err.Error(), "find out who changed it; zvault audit list shows what can still be read"
	}
	return append(all, d)
}

// diagnoseLeftovers looks for keys that no seal needs.
func (a *app) diagnoseLeftovers(ctx context.Context) diagnosis {
	d := diagnosis{Check: "old keys"}
	noted, unknown, err := a.vault.Leftovers(ctx)
	switch {
	case err != nil:
		d.Problem, d.Mend = err.Error(), "look at "+a.vault.Home+" yourself"
	case len(noted) > 0:
		d.Problem = "a change of the seal was interrupted and has left " + strings.Join(noted, ", ")
		d.Mend = "zvault rekey --seal " + a.vault.Seal.Type + " removes it"
	case len(unknown) > 0:
		d.Problem = "this vault does not use " + strings.Join(unknown, ", ")
		d.Mend = "remove it, unless a copy of an older state of the vault needs it"
	}
	return d
}

// diagnoseProject looks for values in and around the project's directory.
func (a *app) diagnoseProject(ctx context.Context) []diagnosis {
	w, err := workspace.Find(a.dir)
	if errors.Is(err, workspace.ErrNone) {
		return nil
	}
	if err != nil {
		return []diagnosis{{workspace.FileName, err.Error(), "correct the file"}}
	}
	var all []diagnosis
	matches, err := filepath.Glob(filepath.Join(w.Root, ".env*"))
	if err != nil {
		return []diagnosis{{"plaintext files", err.Error(), "look at them yourself"}}
	}
	var names []string
	for _, path := range matches {
		if d, has := a.diagnoseFile(path); has {
			all = append(all, d)
			names = append(names, filepath.Base(path))
		}
	}
	if len(all) == 0 {
		all = append(all, diagnosis{Check: "plaintext files"})
	}
	return append(all, a.diagnoseTracked(ctx, w.Root, names)...)
}

// diagnoseFile reports a file that holds values and not references.
func (a *app) diagnoseFile(path string) (d diagnosis, has bool) {
	data, err := os.ReadFile(path)
	if err != nil {
		return d, false // a folder, or not ours to read
	}
	file, _ := dotenv.Parse(data)
	plain := 0
	for _, e := range file.Effective() {
		if e.Value.Len() > 0 && !ref.MayRefer(e.Value.Reveal()) {
			plain++
		}
	}
	if plain == 0 {
		return d, false
	}
	name := a.shorten(path)
	return diagnosis{"plaintext files", fmt.Sprintf("%s holds %s in clear, for every program and assistant here to read", name, count(plain, "value")),
		"zvault import " + name + " --remove"}, true
}

func (a *app) diagnoseTracked(ctx context.Context, root string, names []string) []diagnosis {
	d := diagnosis{Check: "git"}
	if len(names) == 0 {
		return []diagnosis{d}
	}
	tracked, err := scan.Tracked(ctx, root, names...)
	if errors.Is(err, scan.ErrNoRepository) {
		return nil
	}
	if err != nil {
		d.Problem, d.Mend = err.Error(), "ask git yourself: git ls-files"
	}
	if len(tracked) > 0 {
		d.Problem = fmt.Sprintf("git tracks %s, and keeps every version", tracked[0])
		d.Mend = "git rm --cached " + tracked[0] + ", then change the values: they are in the history"
	}
	return []diagnosis{d}
}
