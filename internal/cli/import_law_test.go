package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/ArcadeLabsInc/zvault/internal/dotenv"
	"github.com/ArcadeLabsInc/zvault/internal/ref"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// resolve(import(x)) = x: whatever names and values a .env holds, what import stores and what the references in its .env.zvault
// resolve to is the original, byte for byte. With --raw for every value; without, for those that hold no reference.
func TestImport_Law(t *testing.T) {
	t.Parallel()
	home := filepath.Join(t.TempDir(), "home")
	getenv := func(name string) string { return map[string]string{"ZVAULT_HOME": home, "USER": "tester"}[name] }
	var complaint bytes.Buffer
	a := &app{streams: streams{in: bytes.NewReader(nil), out: io.Discard, err: &complaint}, getenv: getenv, quiet: true}
	if status := a.run(t.Context(), []string{"init", "--seal", "keyfile"}); status != 0 {
		t.Fatalf("init: %s", complaint.String())
	}
	base, project, values := t.TempDir(), 0, 0
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.Bool().Draw(t, "raw")
		drawn := drawVariables(t, raw)
		source, err := dotenv.Write(dotenv.Node, "", drawn)
		if errors.Is(err, dotenv.ErrRefused) { // beside each other no file can hold them
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		// What the file holds is what its reader makes of it.
		file, problems := dotenv.Parse(source)
		if len(problems) > 0 {
			t.Fatalf("the file has a problem in line %d", problems[0].Line)
		}
		variables := file.Effective()
		project++
		a.dir = filepath.Join(base, fmt.Sprint("law-", project))
		path := filepath.Join(a.dir, ".env")
		if err := os.Mkdir(a.dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, source, 0o600); err != nil {
			t.Fatal(err)
		}
		a.project, a.env = "", ""
		if err := a.importFile(t.Context(), importFlags{raw: raw, remove: true}, path); err != nil {
			t.Fatalf("importing: %v", err)
		}
		if err := a.close(); err != nil { // as the command does; what follows reads what is on disk
			t.Fatal(err)
		}
		e, err := a.scope()
		if err != nil {
			t.Fatal(err)
		}
		s, err := a.open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		stored, err := s.Values(t.Context(), a.caller(), e)
		if err != nil {
			t.Fatal(err)
		}
		// Only what the references resolve to, and neither the rest of the vault nor this process' environment.
		got, err := a.variables(t.Context(), e, runFlags{file: filepath.Join(a.dir, ReferencesFile), override: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := a.close(); err != nil {
			t.Fatal(err)
		}
		resolved := map[string]secret.Value{}
		for _, v := range got {
			resolved[v.Name] = v.Value
		}
		if len(resolved) != len(variables) || len(stored) != len(variables) {
			t.Fatalf("%d variables became %d stored and %d resolved", len(variables), len(stored), len(resolved))
		}
		for i, v := range variables {
			if s, ok := stored[v.Name]; !ok || !s.Equal(v.Value) {
				t.Fatalf("variable %d of %d bytes is stored as something else", i, v.Value.Len())
			}
			if r, ok := resolved[v.Name]; !ok || !r.Equal(v.Value) {
				t.Fatalf("variable %d of %d bytes resolves to something else", i, v.Value.Len())
			}
			if slices.ContainsFunc(drawn, func(d dotenv.Variable) bool { return d.Name == v.Name && d.Value.Equal(v.Value) }) {
				values++
			}
		}
	})
	if values < 100 {
		t.Errorf("only %d values were tried", values)
	}
}

// drawVariables draws names and values that a .env can hold.
func drawVariables(t *rapid.T, raw bool) []dotenv.Variable {
	names := rapid.SliceOfNDistinct(rapid.StringMatching(`[A-Za-z0-9_.-]{1,40}`).Filter(func(s string) bool { return ref.ValidKey(s) == nil }), 1, 8, rapid.ID[string]).Draw(t, "names")
	piece := rapid.OneOf(
		rapid.SampledFrom([]string{"$", "${", "}", "#", " #", "\n", "\r\n", "\\n", "\\", "'", "\"", "`", "=", " ", "\t", "ü", "\u2028", "\ufeff", "zvault:/", "export ", "-----BEGIN KEY-----\n"}),
		rapid.SampledFrom([]string{"zvault://", "${zvault://", "$${zvault://X}", "$zvault://", "${zvault://OTHER}", "zvault://p/K?version=1", "zvault:///kv/a#b"}),
		rapid.String(), rapid.StringMatching(`[A-Za-z0-9+/]{0,200}={0,2}`),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 16), func(b []byte) string { return string(b) }),
	)
	value := rapid.Custom(func(t *rapid.T) string {
		var b bytes.Buffer
		for _, p := range rapid.SliceOfN(piece, 0, 6).Draw(t, "pieces") {
			b.WriteString(p)
		}
		return b.String()
	}).Filter(func(s string) bool {
		if !raw && ref.MayRefer([]byte(s)) {
			return false
		}
		_, err := dotenv.Write(dotenv.Node, "", []dotenv.Variable{{Name: "X", Value: secret.Of(s)}})
		return err == nil && !bytes.Contains([]byte(s), []byte{0})
	})
	all := make([]dotenv.Variable, len(names))
	for i, name := range names {
		all[i] = dotenv.Variable{Name: name, Value: secret.Of(value.Draw(t, "value"))}
	}
	return all
}
