package vaultcmd

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/hcl/ast"
	"github.com/hashicorp/hcl/hcl/parser"
	"github.com/hashicorp/hcl/hcl/printer"
)

func policyFmtSpec() spec {
	return spec{
		use: "fmt FILE", short: "Lay a policy out in the usual form", least: 1, most: 1,
		long: "Lay out a file with a policy in the usual form, in place. No server is asked. - reads stdin and prints.",
		run: func(c *call) error {
			path := expandHome(strings.TrimSpace(c.args[0]))
			source, err := c.fileOrStdin(path)
			if err != nil {
				return broken(err, "Error reading source file")
			}
			laidOut, err := formatPolicy([]byte(source))
			if err != nil {
				return broken(err, "failed to parse policy")
			}
			if path == "-" {
				return c.print(string(laidOut))
			}
			if err := replaceFile(path, laidOut); err != nil {
				return broken(err, "Error writing result")
			}
			return c.line("Success! Formatted policy: %s", path)
		},
	}
}

// expandHome replaces ~/ at the start, which a shell leaves alone behind an equals sign or in quotes.
func expandHome(path string) string {
	rest, ok := strings.CutPrefix(path, "~/")
	home, err := os.UserHomeDir()
	if !ok || err != nil {
		return path
	}
	return filepath.Join(home, rest)
}

// formatPolicy checks that a text is a policy and lays it out.
func formatPolicy(source []byte) ([]byte, error) {
	file, err := parser.Parse(source)
	if err != nil {
		return nil, err
	}
	if err := checkPolicy(file); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := printer.DefaultConfig.Fprint(&b, file); err != nil {
		return nil, err
	}
	return append(bytes.TrimRight(b.Bytes(), "\n"), '\n'), nil
}

// checkPolicy finds what is plainly no policy: other things than paths, and capabilities that there are not. The rest is the
// server's to judge.
func checkPolicy(file *ast.File) error {
	root, ok := file.Node.(*ast.ObjectList)
	if !ok {
		return fmt.Errorf("there is no block in it")
	}
	for _, item := range root.Items {
		key, line := keyText(item, 0), item.Pos().Line
		if key == "name" && len(item.Keys) == 1 {
			continue
		}
		if key != "path" || len(item.Keys) != 2 {
			return fmt.Errorf("line %d: %q is not path \"...\" { }", line, key)
		}
		block, ok := item.Val.(*ast.ObjectType)
		if !ok {
			return fmt.Errorf("line %d: a path needs a block", line)
		}
		for _, inner := range block.List.Items {
			if err := checkCapabilities(inner); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkCapabilities(item *ast.ObjectItem) error {
	list, ok := item.Val.(*ast.ListType)
	if keyText(item, 0) != "capabilities" || !ok {
		return nil
	}
	known := []string{"create", "read", "update", "patch", "delete", "list", "scan", "sudo", "deny"}
	for _, node := range list.List {
		literal, ok := node.(*ast.LiteralType)
		if !ok {
			return fmt.Errorf("line %d: a capability is a word", node.Pos().Line)
		}
		if word, _ := literal.Token.Value().(string); !slices.Contains(known, word) {
			return fmt.Errorf("line %d: there is no capability %q", node.Pos().Line, word)
		}
	}
	return nil
}

// keyText is one of the words before an item's value.
func keyText(item *ast.ObjectItem, i int) string {
	if i >= len(item.Keys) {
		return ""
	}
	text, _ := item.Keys[i].Token.Value().(string)
	return text
}

// replaceFile writes a file anew in one step, with the permissions that it had.
func replaceFile(path string, content []byte) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Chmod(f.Name(), info.Mode().Perm())
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the error that led here is the one to tell
	}
	return err
}
