package patch_test

import (
	"errors"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/assistant/patch"
)

var (
	section = patch.Section{Path: []string{"mcp_servers", "zvault"}, Body: "command = \"zvault\"\nargs = [\"mcp-server\"]\n"}
	block   = patch.Block{Mark: "# zvault setup:", Lines: []string{".env", ".env.local"}}
	call    = patch.Call{Line: "zvault hook pre-commit || exit 1"}
	whole   = patch.Whole{Title: "x", Content: "a: 1\n"}
)

const (
	sectionText = "[mcp_servers.zvault]\ncommand = \"zvault\"\nargs = [\"mcp-server\"]\n"
	blockText   = "# zvault setup: begin\n.env\n.env.local\n# zvault setup: end\n"
)

func TestText_Add(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		edit          patch.Edit
		before, after string
	}{
		{section, "", sectionText},
		{section, "# mine\nmodel = \"x\" # y", "# mine\nmodel = \"x\" # y\n\n" + sectionText},
		{section, "[mcp_servers.a]\r\ncommand = \"b\"\r\n", "[mcp_servers.a]\r\ncommand = \"b\"\r\n\r\n[mcp_servers.zvault]\r\ncommand = \"zvault\"\r\nargs = [\"mcp-server\"]\r\n"},
		{block, "", blockText},
		{block, "node_modules", "node_modules\n" + blockText},
		{block, ".env\n", ".env\n" + blockText},
		{call, "", "#!/bin/sh\n" + call.Line + "\n"},
		{call, "#!/usr/bin/env bash\nmake lint\n", "#!/usr/bin/env bash\n" + call.Line + "\nmake lint\n"},
		{call, "npm test\n", call.Line + "\nnpm test\n"},
		{call, "#!/bin/sh -e", "#!/bin/sh -e\n" + call.Line + "\n"},
		{whole, "", "a: 1\n"},
	} {
		if after, _ := add(t, c.edit, c.before); after != c.after {
			t.Errorf("%q: %q", c.before, after)
		}
	}
}

func TestText_Refused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		edit patch.Edit
		text string
		want error
	}{
		{section, "mcp_servers = { a = { command = \"b\" } }\n", patch.ErrTaken},
		{section, "[mcp_servers.zvault]\ncommand = \"other\"\n", patch.ErrTaken},
		{section, "mcp_servers = 1\n", patch.ErrTaken},
		{call, "#!/usr/bin/env python3\nprint()\n", patch.ErrTaken},
		{whole, "b: 2\n", patch.ErrTaken},
	} {
		if _, _, err := c.edit.Add([]byte(c.text)); !errors.Is(err, c.want) {
			t.Errorf("%q: %v", c.text, err)
		}
	}
	var syntax *patch.SyntaxError
	if _, _, err := section.Add([]byte("a = 1\nb = = hush\n")); !errors.As(err, &syntax) || syntax.Line != 2 || syntax.Column == 0 {
		t.Error(err)
	}
}

func TestText_Remove(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		edit          patch.Edit
		before, after string
		err           error
	}{
		{section, "a = 1\n\n" + sectionText + "\n[b]\n", "a = 1\n\n[b]\n", nil},
		{section, "a = 1\n", "a = 1\n", nil},
		{section, "a = 1\n\n" + sectionText + "env = { A = \"b\" }\n", "", patch.ErrChanged},
		{section, "[mcp_servers.zvault]\ncommand = \"zvault2\"\n", "", patch.ErrChanged},
		{block, "a\n" + blockText + "b\n", "a\nb\n", nil},
		{block, "a\n# zvault setup: begin\n.env\nmine\n.env.local\n# zvault setup: end\n", "a\nmine\n", nil},
		{block, ".env\n", ".env\n", nil},
		{block, "# zvault setup: begin\n.env\n", "", patch.ErrChanged},
		{call, "#!/bin/sh\n" + call.Line + "\nmake\n", "#!/bin/sh\nmake\n", nil},
		{call, "#!/bin/sh\n" + call.Line + "\n", "", nil},
		{call, "make\n", "make\n", nil},
		{call, call.Line + " && x\n", "", patch.ErrChanged},
		{whole, "a: 1\r\n", "", nil},
		{whole, "a: 2\n", "", patch.ErrChanged},
	} {
		got, err := remove(t, c.edit, c.before, true)
		if !errors.Is(err, c.err) || err == nil && got != c.after {
			t.Errorf("%q: %q, %v", c.before, got, err)
		}
	}
}

func TestEmpty(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"{}": true, "\ufeff{ \n}\n": true, "": true, "{//x\n}": false, "{\"a\":1}": false, "a": false} {
		if patch.Empty([]byte(text)) != want {
			t.Errorf("%q", text)
		}
	}
}

func FuzzSection(f *testing.F) {
	f.Add("a = 1\n[b]\nc = \"\"\"\nx\n\"\"\"\n")
	f.Fuzz(func(t *testing.T, before string) {
		if splices, _, err := section.Add([]byte(before)); err == nil && len(splices) > 0 {
			add(t, section, before)
		}
	})
}
