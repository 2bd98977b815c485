package redteam

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// Front is what stands between an attack and the secret.
type Front string

// The fronts.
const (
	Bare          Front = "bare"           // the value in the environment and in .env
	Run           Front = "run"            // zvault run
	RunRedact     Front = "run-redact"     // zvault run --redact
	MCP           Front = "mcp"            // zvault mcp-server: tools and no shell
	Shield        Front = "shield"         // zvault shield
	ShieldSandbox Front = "shield-sandbox" // zvault shield --sandbox
	Script        Front = "script"         // another product, by Options.Script
)

// Fronts lists those of zvault, and the bare process.
func Fronts() []Front { return []Front{Bare, Run, RunRedact, MCP, Shield, ShieldSandbox} }

// play runs the attack behind the front. What it prints is the thief's. An attack that fails is no error.
func (s *stage) play(ctx context.Context, a Attack) error {
	var cmd *exec.Cmd
	attack := []string{"sh", s.script}
	switch s.o.Front {
	case Bare:
		cmd = exec.CommandContext(ctx, attack[0], attack[1:]...)
		cmd.Dir, cmd.Env = s.work, append(s.environment(), target+"="+s.value)
	case Run:
		cmd = s.zvault(ctx, append([]string{"run", "-q", "--"}, attack...)...)
	case RunRedact:
		cmd = s.zvault(ctx, append([]string{"run", "-q", "--redact", "--"}, attack...)...)
	case MCP:
		return s.call(ctx, a)
	case Shield:
		cmd = s.zvault(ctx, append([]string{"shield", "-q", "--"}, attack...)...)
	case ShieldSandbox:
		cmd = s.zvault(ctx, append([]string{"shield", "-q", "--sandbox", "--"}, attack...)...)
	case Script:
		var err error
		if cmd, err = s.foreign(ctx, attack); err != nil {
			return err
		}
	default:
		return fmt.Errorf("there is no front %q", s.o.Front)
	}
	cmd.WaitDelay = 2 * time.Second
	out, err := cmd.CombinedOutput()
	s.haul.add(out)
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) && !errors.Is(err, exec.ErrWaitDelay) && ctx.Err() == nil {
		return fmt.Errorf("starting the front: %w", err)
	}
	return nil
}

// foreign starts another product's front: a script that puts the value in VALUE_FILE under the name in NAME, permits it for the host
// in ALLOWED, and runs its arguments.
func (s *stage) foreign(ctx context.Context, attack []string) (*exec.Cmd, error) {
	file := filepath.Join(s.root, "value")
	if err := os.WriteFile(file, []byte(s.value), 0o600); err != nil {
		return nil, fmt.Errorf("writing the value for the script: %w", err)
	}
	if err := os.Remove(filepath.Join(s.work, ".env.zvault")); err != nil {
		return nil, fmt.Errorf("leaving the product alone with the project: %w", err)
	}
	cmd := exec.CommandContext(ctx, s.o.Script, attack...)
	cmd.Dir, cmd.Env = s.work, append(s.environment(), "NAME="+target, "VALUE_FILE="+file, "ALLOWED="+s.host())
	return cmd, nil
}

// call plays the assistant: it makes the attack's calls, or asks for the attack's script to be run with the secret. What comes
// back is the thief's.
func (s *stage) call(ctx context.Context, a Attack) error {
	c := sdk.NewClient(&sdk.Implementation{Name: "redteam", Version: "1"}, nil)
	session, err := c.Connect(ctx, &sdk.CommandTransport{Command: s.zvault(ctx, "mcp-server")}, nil)
	if err != nil {
		return fmt.Errorf("connecting to the MCP server: %w", err)
	}
	calls := a.Tools
	if len(calls) == 0 {
		calls = []Call{{Tool: "run_command", Arguments: map[string]any{"command": []any{"sh", "attack.sh"}, "secrets": []any{target}}}}
	}
	fill := strings.NewReplacer("$SERVICE", s.service.url(), "$COLLECTOR", s.collector.url(), "$LOOT", s.loot)
	for _, one := range calls {
		raw, err := json.Marshal(one.Arguments)
		if err != nil {
			return errors.Join(err, session.Close())
		}
		result, err := session.CallTool(ctx, &sdk.CallToolParams{Name: "zvault_" + one.Tool, Arguments: json.RawMessage(fill.Replace(string(raw)))})
		if err != nil {
			s.haul.add([]byte(err.Error()))
			continue
		}
		text, err := json.Marshal(result)
		if err != nil {
			return errors.Join(err, session.Close())
		}
		s.haul.add(text)
	}
	if err := session.Close(); err != nil && ctx.Err() == nil {
		return fmt.Errorf("ending the MCP server: %w", err)
	}
	return nil
}
