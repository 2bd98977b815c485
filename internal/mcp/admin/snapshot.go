package admin

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/ref"
)

// backupPassphrase is the secret that snapshots are sealed with unless another is named.
const backupPassphrase = "ZVAULT_BACKUP_PASSPHRASE"

type snapshotIn struct {
	File             string `json:"file" jsonschema:"where to write it, below the project's directory, such as vault.backup; must not exist"`
	PassphraseSecret string `json:"passphrase_secret,omitempty" jsonschema:"the secret that holds the passphrase; ZVAULT_BACKUP_PASSPHRASE if left out. If it is not set the person is asked for one"`
}

type snapshotOut struct {
	File   string `json:"file"`
	Bytes  int64  `json:"bytes"`
	Sealed string `json:"sealed_with" jsonschema:"the secret that holds the passphrase. The person must know it too: the vault cannot tell it once it is lost"`
}

func snapshot() (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "snapshot", Title: "Back the vault up", Set: tool.Admin,
		Text: "Writes the whole vault into one encrypted file. The passphrase is a secret of the project, chosen by the person; `zvault restore` asks for it.",
	}, runSnapshot)
}

func runSnapshot(ctx context.Context, c *tool.Call, a snapshotIn) (snapshotOut, error) {
	if c.Home == nil {
		return snapshotOut{}, tool.Failed("unavailable", "this vault cannot be backed up from here")
	}
	name := backupPassphrase
	if a.PassphraseSecret != "" {
		name = a.PassphraseSecret
	}
	if err := ref.ValidKey(name); err != nil {
		return snapshotOut{}, tool.Invalid("passphrase_secret %q: %v", name, err)
	}
	if !filepath.IsLocal(filepath.FromSlash(a.File)) {
		return snapshotOut{}, tool.Invalid("%q is not below the project's directory", a.File)
	}
	if _, err := c.Platform.Describe(ctx, c.Caller, c.Env, name); platform.KindOf(err) == platform.NotFound {
		if err := c.Session.Enter(ctx, c.Env, name, "the passphrase that backups of the vault are sealed with; keep it elsewhere too"); err != nil {
			return snapshotOut{}, err
		}
	}
	values, err := c.Session.Reveal(ctx, c.Env, []string{name})
	if err != nil {
		return snapshotOut{}, err
	}
	size, err := write(ctx, c, filepath.FromSlash(a.File), values[name].Reveal())
	return snapshotOut{File: a.File, Bytes: size, Sealed: name}, err
}

// write makes the file, which is removed again if it does not become whole.
func write(ctx context.Context, c *tool.Call, path string, passphrase []byte) (size int64, err error) {
	root, err := os.OpenRoot(c.Dir)
	if err != nil {
		return 0, tool.Failed("failed", "the project's directory cannot be opened")
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	f, err := root.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return 0, tool.Failed("exists", "%q exists already; nothing was written", path)
	}
	if err != nil {
		return 0, tool.Failed("failed", "%q cannot be written", path)
	}
	err = c.Home.Backup(ctx, f, passphrase)
	info, statting := f.Stat()
	if err = errors.Join(err, statting, f.Sync(), f.Close()); err != nil {
		return 0, errors.Join(err, root.Remove(path))
	}
	return info.Size(), nil
}
