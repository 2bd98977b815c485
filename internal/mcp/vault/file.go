package vault

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

// maxFile is the most bytes of a file that is imported.
const maxFile = 4 << 20

// project opens the project's directory. What is opened below it cannot lead out, not by links either.
func project(c *tool.Call) (*os.Root, error) {
	dir := c.Dir
	if dir == "" {
		dir = "."
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, tool.Failed("failed", "the project's directory cannot be opened")
	}
	return root, nil
}

// local makes a path relative to the project's directory.
func local(c *tool.Call, path string) (string, error) {
	if filepath.IsAbs(path) && c.Dir != "" {
		if rel, err := filepath.Rel(c.Dir, path); err == nil {
			path = rel
		}
	}
	path = filepath.FromSlash(path)
	if path == "" || !filepath.IsLocal(path) {
		return "", tool.Invalid("%q is not below the project's directory", path)
	}
	return path, nil
}

// readFile reads a file of the project.
func readFile(c *tool.Call, path string) ([]byte, error) {
	path, err := local(c, path)
	if err != nil {
		return nil, err
	}
	root, err := project(c)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }() // only read from
	f, err := root.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, tool.Failed("not_found", "there is no file %q in the project's directory", path)
	}
	if err != nil {
		return nil, tool.Failed("failed", "%q cannot be opened", path)
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, tool.Invalid("%q is no regular file", path)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, tool.Failed("failed", "%q cannot be read", path)
	}
	if len(data) > maxFile {
		return nil, tool.Invalid("%q has more than %d bytes", path, maxFile)
	}
	return data, nil
}

// writeFile makes a file of the project. One that is there is replaced only if that was said.
func writeFile(c *tool.Call, path string, data []byte, replace bool) (err error) {
	path, err = local(c, path)
	if err != nil {
		return err
	}
	root, err := project(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if replace {
		flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	f, err := root.OpenFile(path, flags, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return tool.Failed("exists", "%q exists already; say overwrite if it is to be replaced", path)
	}
	if err != nil {
		return tool.Failed("failed", "%q cannot be written", path)
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err != nil {
		return tool.Failed("failed", "%q cannot be written", path)
	}
	return nil
}
