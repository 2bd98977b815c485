package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/egress"
	"github.com/ArcadeLabsInc/zvault/internal/local"
	"github.com/ArcadeLabsInc/zvault/internal/mcp"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/ref"
	"github.com/ArcadeLabsInc/zvault/internal/runner"
	"github.com/ArcadeLabsInc/zvault/internal/version"
	"github.com/ArcadeLabsInc/zvault/internal/workspace"
)

// mcpFlags are what `mcp-server` can be told.
type mcpFlags struct {
	sets     []string
	readOnly bool
	noWrite  bool
	http     string
	limits   tool.Limits
}

func (a *app) mcpServerCommand() *cobra.Command {
	var f mcpFlags
	c := &cobra.Command{
		Use:   "mcp-server",
		Short: "Let an assistant work with secrets without seeing them",
		Long: `Serve the Model Context Protocol on stdin and stdout, for an editor or assistant that starts this command. The assistant lists, makes,
rotates, compares and uses secrets; what it gets back holds no values. Values are entered by you, on a page of your own or in a terminal.

The project is that of --project, ZVAULT_PROJECT or the directory; else of the first directory that the client works in. The limits
are yours to change; the assistant cannot.

Toolsets: vault, proxy, inspect, admin, cloud; all unless --toolsets chooses.`,
		Example: `  zvault mcp-server
  zvault mcp-server --toolsets vault,inspect --read-only
  zvault mcp-server --project shop --env staging --max-rows 100
  zvault mcp-server --http 127.0.0.1:8300       for clients that speak HTTP; prints the address and a token`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.serveMCP(cmd.Context(), f) },
	}
	d := tool.DefaultLimits()
	fl := c.Flags()
	fl.StringSliceVar(&f.sets, "toolsets", nil, "only these sets of tools")
	fl.BoolVar(&f.readOnly, "read-only", false, "only tools that change nothing")
	fl.BoolVar(&f.noWrite, "no-database-writes", false, "database tools only read, whatever the assistant asks for")
	fl.StringVar(&f.http, "http", "", "serve HTTP on this loopback address instead of stdin and stdout")
	fl.DurationVar(&f.limits.Time, "timeout", d.Time, "longest time of a call")
	fl.IntVar(&f.limits.Rows, "max-rows", d.Rows, "most rows of a query")
	fl.IntVar(&f.limits.Body, "max-body", d.Body, "most bytes of an HTTP body that the assistant sees")
	fl.IntVar(&f.limits.Object, "max-object", d.Object, "most bytes of a stored object or of a command's output")
	fl.IntVar(&f.limits.Keys, "max-keys", d.Keys, "most keys of a Redis scan or objects of a listing")
	complete(c, "toolsets", "vault", "proxy", "inspect", "admin", "cloud")
	return c
}

// serveMCP serves until the client goes or the process is told to end.
func (a *app) serveMCP(ctx context.Context, f mcpFlags) (err error) {
	if err := runner.Harden(); err != nil {
		return err
	}
	o, err := a.mcpOptions(f)
	if err != nil {
		return err
	}
	home, err := a.home()
	if err != nil {
		return err
	}
	vault := &mcpVault{home: home, options: local.Options{Passphrase: a.passphraseFromFile(), Caller: a.caller(), Fingerprint: fingerprinter}}
	defer func() { err = errors.Join(err, vault.Close()) }()
	pages := &mcpPages{vault: vault, caller: a.caller()}
	if f.http != "" {
		pages.tell = a.tellOnTerminal()
	}
	defer func() { err = errors.Join(err, pages.Close()) }()
	o.Vault, o.Pages = vault, pages
	tools, closeTools, err := mcp.All(a.getenv)
	if err != nil {
		return err
	}
	defer closeTools()
	o.Tools = tools
	s, err := mcp.New(o)
	if err != nil {
		return err
	}
	defer s.Close()
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM)
	defer stop()
	if f.http != "" {
		return a.serveMCPOverHTTP(ctx, s, f.http)
	}
	return s.Run(ctx, a.in, a.out)
}

// passphraseFromFile is passphrase where nobody can be asked: stdin belongs to the protocol.
func (a *app) passphraseFromFile() func(string) ([]byte, error) {
	if a.getenv(passphraseFile) == "" {
		return nil
	}
	return a.passphrase
}

func (a *app) mcpOptions(f mcpFlags) (mcp.Options, error) {
	o := mcp.Options{
		Version: version.Get().Version, ReadOnly: f.readOnly, Person: a.caller().Actor, Locate: locate, Dir: a.dir, Limits: f.limits, PID: os.Getppid(),
		Dialer: &egress.Dialer{}, Getenv: a.getenv, Log: slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	o.Limits.AllowWrite = !f.noWrite && !f.readOnly
	if f.limits.Time <= 0 || min(f.limits.Rows, f.limits.Body, f.limits.Object, f.limits.Keys) < 1 {
		return o, usage("a limit is more than 0")
	}
	for _, name := range f.sets {
		if !slices.Contains(mcp.Sets(), tool.Set(name)) {
			return o, usage("there is no toolset %q; there are %v", name, mcp.Sets())
		}
		o.Sets = append(o.Sets, tool.Set(name))
	}
	var err error
	o.Env, err = a.mcpScope()
	return o, err
}

// mcpScope is scope, but leaves the project open where nothing names one.
func (a *app) mcpScope() (platform.Env, error) {
	_, err := workspace.Find(a.dir)
	if a.project == "" && a.getenv("ZVAULT_PROJECT") == "" && errors.Is(err, workspace.ErrNone) {
		env := ref.CanonicalEnvironment(first(a.env, a.getenv("ZVAULT_ENV")))
		if env != "" {
			if err := ref.ValidEnvironment(env); err != nil {
				return platform.Env{}, usage("environment %q: %w", env, err)
			}
		}
		return platform.Env{Slug: env}, nil
	}
	return a.scope()
}

// locate is the project of a directory: the one that .zvault.toml names, else, as for `zvault import`, one of the directory's name.
func locate(dir string) (platform.Env, error) {
	w, err := workspace.Find(dir)
	switch {
	case err == nil:
		return platform.Env{Project: w.Project, Slug: w.Env}, nil
	case !errors.Is(err, workspace.ErrNone):
		return platform.Env{}, err
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return platform.Env{}, err
	}
	slug := ref.Slug(filepath.Base(abs))
	if err := ref.ValidProject(slug); err != nil {
		return platform.Env{}, fmt.Errorf("the directory's name gives no project: %w", err)
	}
	return platform.Env{Project: slug, Slug: workspace.DefaultEnv}, nil
}

// serveMCPOverHTTP serves clients on this machine, with a token that lives as long as the process.
func (a *app) serveMCPOverHTTP(ctx context.Context, s *mcp.Server, address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil || !egress.Loopback(host) {
		return usage("--http takes a loopback address such as 127.0.0.1:8300, not %q", address)
	}
	token := strings.ToLower(rand.Text() + rand.Text())
	handler, err := s.Handler(mcp.HTTP{Verify: mcp.Only(token)})
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 64 << 10}
	go func() {
		<-ctx.Done()
		_ = server.Close() // streams of clients never end by themselves
	}()
	_, _ = fmt.Fprintf(a.err, "serving MCP on http://%s%s\nAuthorization: Bearer %s\n", listener.Addr(), mcp.Path, token)
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving MCP: %w", err)
	}
	return nil
}
