package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/local"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/ref"
	"github.com/ArcadeLabsInc/zvault/internal/version"
	"github.com/ArcadeLabsInc/zvault/internal/workspace"
)

// app is what every command shares: the streams, the global flags, and the vault once it is open.
type app struct {
	streams
	getenv func(string) string
	dir    string

	// Global flags.
	project, env string
	json, quiet  bool
	yes          bool

	vault *local.Vault
	// once is set by what reveals once and ends.
	once bool
}

// home is $ZVAULT_HOME, else ~/.zvault.
func (a *app) home() (string, error) {
	if h := a.getenv("ZVAULT_HOME"); h != "" {
		return filepath.Abs(h)
	}
	h, err := os.UserHomeDir()
	if err != nil {
		return "", withHint(fmt.Errorf("finding the vault: %w", err), "set ZVAULT_HOME to the directory to keep it in")
	}
	return filepath.Join(h, ".zvault"), nil
}

// caller is the person at this terminal, to whom the local vault belongs.
func (a *app) caller() platform.Caller {
	name := a.getenv("USER")
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if name == "" {
		name = "uid-" + fmt.Sprint(os.Getuid())
	}
	return platform.Caller{
		Actor:  audit.Actor{Kind: "person", ID: name, Name: name},
		Client: audit.Client{Kind: "cli", Name: "zvault", Version: version.Version, PID: os.Getpid()},
		Owner:  true,
	}
}

// inCI reports whether this is an unattended build, where personal overrides never apply.
func (a *app) inCI() bool { v := a.getenv("CI"); return v != "" && v != "false" && v != "0" }

// open opens the vault, once.
func (a *app) open(ctx context.Context) (*platform.Service, error) {
	if a.vault != nil {
		return a.vault.Platform, nil
	}
	home, err := a.home()
	if err != nil {
		return nil, err
	}
	v, err := local.Open(ctx, home, a.localOptions())
	if err != nil {
		return nil, explainOpening(err)
	}
	a.vault = v
	return v.Platform, nil
}

func (a *app) localOptions() local.Options {
	return local.Options{Passphrase: a.passphrase, Caller: a.caller(), Fingerprint: fingerprinter, Once: a.once}
}

// explainOpening adds what to do about a vault that does not open.
func explainOpening(err error) error {
	switch {
	case errors.Is(err, local.ErrNoVault):
		return withHint(err, "run `zvault init`, or `zvault import .env`, which makes one")
	case errors.Is(err, local.ErrSealed):
		return withHint(err, "run `zvault unseal`")
	case errors.Is(err, local.ErrNewer):
		return withHint(err, "upgrade zvault")
	}
	return err
}

// close closes the vault, if it is open.
func (a *app) close() error {
	if a.vault == nil {
		return nil
	}
	v := a.vault
	a.vault = nil
	return v.Close()
}

// leave is close for a process that another program is about to replace.
func (a *app) leave() error {
	if a.vault == nil {
		return nil
	}
	v := a.vault
	a.vault = nil
	return v.Leave()
}

// passphrase asks for the vault's passphrase, or takes it from the file that ZVAULT_PASSPHRASE_FILE names.
func (a *app) passphrase(prompt string) ([]byte, error) {
	if path := a.getenv(passphraseFile); path != "" {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("reading the passphrase: %w", err)
		}
		defer func() { _ = f.Close() }() // only read from
		line, err := readLine(f)
		if len(line) == 0 {
			return nil, fmt.Errorf("reading the passphrase: %q is empty: %w", path, err)
		}
		return line, nil
	}
	p, err := a.askSecret(prompt)
	if errors.Is(err, errNoTerminal) {
		return nil, withHint(fmt.Errorf("asking for the passphrase: %w", err), "set ZVAULT_PASSPHRASE_FILE to a file that holds it")
	}
	return p, err
}

// scope works out which environment a command is about: flag over environment variable over .zvault.toml.
func (a *app) scope() (platform.Env, error) {
	project, env := first(a.project, a.getenv("ZVAULT_PROJECT")), first(a.env, a.getenv("ZVAULT_ENV"))
	w, err := workspace.Find(a.dir)
	switch {
	case err == nil:
		if project == "" || project == w.Project {
			env = first(env, w.Env)
		}
		project = first(project, w.Project)
	case !errors.Is(err, workspace.ErrNone):
		return platform.Env{}, &usageError{err}
	case project == "":
		return platform.Env{}, withHint(usage("which project? there is %w", err), "say --project NAME, or run `zvault import .env` here")
	}
	env = ref.CanonicalEnvironment(first(env, workspace.DefaultEnv))
	if err := ref.ValidProject(project); err != nil {
		return platform.Env{}, usage("project %q: %w", project, err)
	}
	if err := ref.ValidEnvironment(env); err != nil {
		return platform.Env{}, usage("environment %q: %w", env, err)
	}
	return platform.Env{Project: project, Slug: env}, nil
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// opened is open and scope in one, for the many commands that need both.
func (a *app) opened(ctx context.Context) (*platform.Service, platform.Env, error) {
	e, err := a.scope()
	if err != nil {
		return nil, e, err
	}
	s, err := a.open(ctx)
	return s, e, err
}
