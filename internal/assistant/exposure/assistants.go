package exposure

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"encoding/json"

	"github.com/tailscale/hujson"

	"github.com/ArcadeLabsInc/zvault/internal/assistant/editors"
	"github.com/ArcadeLabsInc/zvault/internal/assistant/guard"
	"github.com/ArcadeLabsInc/zvault/internal/assistant/setup"
	"github.com/ArcadeLabsInc/zvault/internal/ref"
)

// servers looks for values in the settings of MCP servers.
func (l Look) servers(context.Context) []Finding {
	const check = "settings of MCP servers"
	var all []Finding
	seen := map[string]bool{}
	for _, e := range editors.All() {
		for _, t := range slices.Concat(e.Targets(l.Places, false), e.Targets(l.Places, true)) {
			if seen[t.Path] || !strings.Contains(string(t.Purpose), string(editors.Server)) {
				continue
			}
			seen[t.Path] = true
			text, err := read(t.Path)
			if err != nil {
				continue
			}
			found := append(l.stored(text), written(text)...)
			slices.Sort(found)
			if found = slices.Compact(found); len(found) > 0 {
				all = append(all, Finding{check, l.short(t.Path) + " holds " + list(found), "start the server by `zvault run -- COMMAND` and take the values out"})
			}
		}
	}
	return none(check, all)
}

// written names the entries of env and headers of JSON settings that by their names are secrets and have a value written out.
func written(text []byte) []string {
	plain, err := hujson.Standardize(slices.Clone(text))
	var v any
	if err != nil || json.Unmarshal(plain, &v) != nil {
		return nil
	}
	var names []string
	var visit func(v any, within bool)
	visit = func(v any, within bool) {
		object, ok := v.(map[string]any)
		if !ok {
			return
		}
		for name, inner := range object {
			value, isText := inner.(string)
			header := strings.EqualFold(name, "authorization")
			literal := isText && value != "" && !strings.Contains(value, "${") && !ref.MayRefer([]byte(value))
			if within && literal && (header || guard.SecretName(strings.ReplaceAll(name, "-", "_"))) {
				names = append(names, name)
			}
			visit(inner, name == "env" || name == "headers")
		}
	}
	visit(v, false)
	return names
}

// transcripts looks into what assistants have kept of their conversations.
func (l Look) transcripts(ctx context.Context) []Finding {
	const check = "transcripts of assistants"
	if l.Find == nil {
		return []Finding{{Check: check}}
	}
	var all []Finding
	left := int64(maxTranscripts)
	for _, dir := range []string{".claude/projects", ".codex/sessions", ".gemini/tmp", ".continue/sessions", ".kiro/sessions"} {
		root := filepath.Join(l.Places.Home, filepath.FromSlash(dir))
		var files []string
		var secrets []string
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || ctx.Err() != nil || !d.Type().IsRegular() {
				return ctx.Err()
			}
			info, err := d.Info()
			if err != nil || info.Size() > left {
				return nil //nolint:nilerr // it has gone, or is beyond what is looked at
			}
			left -= info.Size()
			if text, err := read(path); err == nil {
				if found := l.stored(text); len(found) > 0 {
					files, secrets = append(files, path), append(secrets, found...)
				}
			}
			return nil
		})
		if err != nil && ctx.Err() != nil {
			break
		}
		if len(files) > 0 {
			slices.Sort(secrets)
			all = append(all, Finding{check, fmt.Sprintf("%s below %s: %s", count(len(files), "file"), l.short(root), list(slices.Compact(secrets))),
				"rotate those secrets: what was in a conversation is stored elsewhere too"})
		}
	}
	return none(check, all)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// inUse reports whether an editor has left traces in the project or below the person's folder.
func (l Look) inUse(e editors.Editor) bool {
	for _, trace := range e.Traces {
		for _, dir := range []string{l.Places.Project, l.Places.Home} {
			if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(trace))); err == nil {
				return true
			}
		}
	}
	return false
}

// safeguards looks for ignore files and hooks that editors in use lack. A safeguard of the person counts for the project.
func (l Look) safeguards(ctx context.Context) []Finding {
	var all []Finding
	for _, e := range editors.All() {
		if !l.inUse(e) {
			continue
		}
		missing := l.missing(e)
		if len(missing) > 0 {
			all = append(all, Finding{"safeguards of " + e.Title, "missing: " + strings.Join(missing, ", "), "zvault setup " + e.ID})
		} else {
			all = append(all, Finding{Check: "safeguards of " + e.Title})
		}
	}
	if hook, err := editors.PreCommit(ctx, l.Places.Project); err != nil {
		all = append(all, Finding{"pre-commit hook", err.Error(), "call `zvault hook pre-commit` from there"})
	} else if hook != nil {
		d := Finding{Check: "pre-commit hook"}
		if lacks(*hook) {
			d.Problem, d.Mend = "git commits without asking whether a stored value is in the commit", "zvault setup generic, or that of your editor"
		}
		all = append(all, d)
	}
	return all
}

// missing lists the purposes for which an editor has a file neither in the project nor below the person's folder.
func (l Look) missing(e editors.Editor) []string {
	done := map[editors.Purpose]bool{}
	for _, user := range []bool{false, true} {
		for _, t := range e.Targets(l.Places, user) {
			done[t.Purpose] = done[t.Purpose] || !lacks(t)
		}
	}
	var missing []string
	for purpose, ok := range done {
		if !ok {
			missing = append(missing, string(purpose))
		}
	}
	slices.Sort(missing)
	return missing
}

// lacks reports whether a file does not hold what it shall.
func lacks(t editors.Target) bool {
	c, err := setup.Plan(t)
	return err != nil || !c.Nothing()
}
