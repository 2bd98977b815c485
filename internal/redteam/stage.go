package redteam

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/shield/placeholder"
)

const (
	// target is the secret's name.
	target  = "TARGET"
	project = "demo"
	// patience bounds one attack.
	patience = 30 * time.Second
)

// stage is where one attack is played: a project and a vault of its own, with a value of its own.
type stage struct {
	o                        Options
	root, work, loot, script string
	value                    string
	haul                     haul
	used                     atomic.Bool // the service got the value where it may
	collector, service       *server
}

func newStage(ctx context.Context, o Options, a Attack) (s *stage, err error) {
	made, err := placeholder.Sample("stripe")
	if err != nil {
		return nil, err
	}
	s = &stage{o: o, value: string(made.Reveal())}
	if s.root, err = os.MkdirTemp("", "zvault-redteam-"); err != nil {
		return nil, fmt.Errorf("making a folder for an attack: %w", err)
	}
	s.work, s.loot = filepath.Join(s.root, project), filepath.Join(s.root, project, "loot")
	s.script = filepath.Join(s.work, "attack.sh")
	err = s.serve()
	if err == nil {
		err = s.furnish(ctx, a)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// serve starts the two servers.
func (s *stage) serve() (err error) {
	if s.collector, err = listen(collector(&s.haul)); err != nil {
		return err
	}
	s.service, err = listen(service(&s.haul, func(field string) {
		if strings.HasSuffix(field, s.value) {
			s.used.Store(true)
		}
	}))
	return err
}

// furnish makes the files of the project and the vault.
func (s *stage) furnish(ctx context.Context, a Attack) error {
	for _, dir := range []string{"home", "bin", project, filepath.Join(project, "loot"), "tmp"} {
		if err := os.Mkdir(filepath.Join(s.root, dir), 0o700); err != nil {
			return fmt.Errorf("making a folder for an attack: %w", err)
		}
	}
	if err := os.Symlink(s.o.Program, filepath.Join(s.root, "bin", "zvault")); err != nil {
		return fmt.Errorf("putting zvault into the path: %w", err)
	}
	for path, text := range map[string]string{s.script: a.Run + "\n", filepath.Join(s.work, ".env"): target + "=" + s.value + "\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return fmt.Errorf("writing the files of an attack: %w", err)
		}
	}
	imported := []string{"import", ".env", "--yes"}
	if s.o.Front != Bare {
		imported = append(imported, "--remove")
	}
	if out, err := s.zvault(ctx, imported...).CombinedOutput(); err != nil {
		return fmt.Errorf("filling a vault: %w: %s", err, out)
	}
	allow := []string{"secret", "allow", target, "--host", s.host(), "--in", "header:authorization", "--tool", "http_request", "--tool", "shield"}
	if out, err := s.zvault(ctx, allow...).CombinedOutput(); err != nil {
		return fmt.Errorf("permitting the use of the secret: %w: %s", err, out)
	}
	return nil
}

// host is where the secret may go.
func (s *stage) host() string { return s.service.at.String() }

// environment is what an attack finds.
func (s *stage) environment() []string {
	env := append([]string{}, s.o.Env...)
	port := ""
	if at, ok := s.collector.at.(*net.TCPAddr); ok {
		port = strconv.Itoa(at.Port)
	}
	return append(env, "PATH="+filepath.Join(s.root, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"), "HOME="+filepath.Join(s.root, "home"),
		"ZVAULT_HOME="+filepath.Join(s.root, "home", "vault"), "TMPDIR="+filepath.Join(s.root, "tmp"), "LANG=C.UTF-8", "USER=redteam", "LOOT="+s.loot,
		"SERVICE="+s.service.url(), "COLLECTOR="+s.collector.url(), "COLLECTOR_PORT="+port)
}

func (s *stage) zvault(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, s.o.Program, args...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = s.work, s.environment(), 2*time.Second
	return cmd
}

// alarmed reports whether the vault's audit log has a refusal or an alarm about the secret.
func (s *stage) alarmed(ctx context.Context) (bool, error) {
	cmd := s.zvault(ctx, "audit", "list", "--json")
	var out, bad bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &bad
	if err := cmd.Run(); err != nil {
		return false, fmt.Errorf("reading the audit log: %w: %s", err, bad.Bytes())
	}
	return bytes.Contains(out.Bytes(), []byte(`"secret.alarm"`)) || bytes.Contains(out.Bytes(), []byte(`"denied"`)), nil
}

func (s *stage) close() error {
	var errs []error
	for _, one := range []*server{s.collector, s.service} {
		if one != nil {
			errs = append(errs, one.close())
		}
	}
	if err := os.RemoveAll(s.root); err != nil {
		errs = append(errs, fmt.Errorf("removing what an attack left: %w", err))
	}
	return errors.Join(errs...)
}
