package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/assistant/exposure"
	"github.com/ArcadeLabsInc/zvault/internal/local"
	"github.com/ArcadeLabsInc/zvault/internal/scan"
	"github.com/ArcadeLabsInc/zvault/internal/seal/keychain"
	"github.com/ArcadeLabsInc/zvault/internal/seal/keyfile"
)

// diagnoseAI looks for what an assistant that runs here as this person could see.
func (a *app) diagnoseAI(ctx context.Context) []diagnosis {
	p, err := a.places()
	if err != nil {
		return []diagnosis{{"project", err.Error(), "correct the file"}}
	}
	home, err := a.home()
	if err != nil {
		return []diagnosis{{"vault", err.Error(), hintOf(err)}}
	}
	all, find := a.diagnoseSeal(ctx, home)
	look := exposure.Look{Places: p, Vault: home, Environ: os.Environ()}
	if find != nil {
		look.Find = func(text []byte) []string { return addresses(find.Find(text)) }
	}
	for _, f := range look.All(ctx) {
		all = append(all, diagnosis{f.Check, f.Problem, f.Mend})
	}
	return append(all, a.diagnoseHistory(ctx, find)...)
}

// addresses lists the secrets of finds without their versions, each once.
func addresses(hits []scan.Hit) []string {
	var all []string
	for _, h := range hits {
		address, _, _ := strings.Cut(h.Secret, "&version=")
		all = append(all, address)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// diagnoseSeal says whether the vault opens for whoever runs as this person, and makes what finds its values.
func (a *app) diagnoseSeal(ctx context.Context, home string) ([]diagnosis, *scan.Finder) {
	const check = "seal"
	if !local.Exists(home) {
		return []diagnosis{{"vault", "there is none in " + home + ": stored values cannot be looked for", "zvault init"}}, nil
	}
	if _, err := a.open(ctx); err != nil {
		if errors.Is(err, local.ErrSealed) {
			a.warn("the vault is sealed: its own values are not looked for")
			return []diagnosis{{Check: check}}, nil
		}
		return []diagnosis{{"opening the vault", err.Error(), first(hintOf(err), "restore a backup: zvault restore FILE")}}, nil
	}
	d := diagnosis{Check: check}
	switch a.vault.Seal.Type {
	case keyfile.Type:
		d.Problem = "the key lies in a file beside the vault: a program that runs as you can open it"
		d.Mend = "zvault rekey --seal passphrase; until then `zvault seal` while an assistant works alone"
	case keychain.Type:
		d.Problem = "the keychain gives the key to every program that runs as you while you are logged in"
		d.Mend = "zvault seal while an assistant works alone, or zvault rekey --seal passphrase"
	}
	find, err := a.ownFinder(ctx)
	if err != nil {
		return []diagnosis{d, {"stored values", err.Error(), "zvault doctor"}}, nil
	}
	return []diagnosis{d}, find
}

// diagnoseHistory looks for stored values in all that git keeps.
func (a *app) diagnoseHistory(ctx context.Context, find *scan.Finder) []diagnosis {
	const check = "git history"
	if _, err := a.git(ctx, nil, "rev-parse", "--git-dir"); err != nil || find == nil {
		return nil
	}
	blobs, err := a.allBlobs(ctx)
	var paths, secrets []string
	if err == nil {
		err = a.eachBlob(ctx, blobs, func(b blob, text []byte) {
			if hits := find.Find(text); len(hits) > 0 {
				paths, secrets = append(paths, b.path), append(secrets, addresses(hits)...)
			}
		})
	}
	if err != nil {
		return []diagnosis{{check, err.Error(), "zvault scan --history"}}
	}
	if len(paths) == 0 {
		return []diagnosis{{Check: check}}
	}
	slices.Sort(paths)
	slices.Sort(secrets)
	secrets = slices.Compact(secrets)
	return []diagnosis{{check, fmt.Sprintf("holds %s, in %s", strings.Join(secrets[:min(3, len(secrets))], ", "), filepath.FromSlash(paths[0])),
		"rotate (zvault secret set NAME): what was committed stays in every copy; zvault scan --history lists all places"}}
}

// allBlobs lists every version of every file that branches, tags and stashes reach.
func (a *app) allBlobs(ctx context.Context) ([]blob, error) {
	list, err := a.git(ctx, nil, "rev-list", "--all", "--objects", "--filter=blob:limit=16m")
	if err != nil {
		return nil, err
	}
	var all []blob
	for line := range strings.Lines(string(list)) {
		// Commits have no path; folders have one and are no use.
		if id, path, ok := strings.Cut(strings.TrimRight(line, "\n"), " "); ok && path != "" {
			all = append(all, blob{id, path})
		}
	}
	return all, nil
}
