package testpg

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// places are patterns of folders with PostgreSQL's programs: Debian and Ubuntu, Fedora, Alpine, Homebrew.
var places = []string{
	"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/libexec/postgresql*",
	"/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin", "/usr/local/pgsql/bin",
}

// programs returns the folder that holds initdb and postgres, of the newest version there is.
func programs() (string, error) {
	if dir := newest(); dir != "" {
		return dir, nil
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	if err := install(); err != nil {
		return "", fmt.Errorf("PostgreSQL is not installed, and installing it: %w", err)
	}
	if dir := newest(); dir != "" {
		return dir, nil
	}
	return "", errors.New("apt-get has installed postgresql, but there is no initdb")
}

func newest() string {
	best, bestVersion := "", -1.0
	for _, pattern := range places {
		dirs, _ := filepath.Glob(pattern) // fails only for a bad pattern
		for _, dir := range dirs {
			if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
				continue
			}
			if v := version(dir); v > bestVersion {
				best, bestVersion = dir, v
			}
		}
	}
	return best
}

// version finds the number in a path such as /usr/lib/postgresql/15/bin, 0 if there is none.
func version(dir string) float64 {
	digits := strings.FieldsFunc(dir, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
	for i := len(digits) - 1; i >= 0; i-- {
		if v, err := strconv.ParseFloat(digits[i], 64); err == nil {
			return v
		}
	}
	return 0
}

// install installs Debian's package. It needs to be root, and the file keeps the package from making a server of its
// own.
func install() error {
	if os.Geteuid() != 0 {
		return errors.New("not root")
	}
	const config = "/etc/postgresql-common/createcluster.conf"
	if _, err := os.Stat(config); errors.Is(err, os.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(config), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(config, []byte("create_main_cluster = false\n"), 0o644); err != nil {
			return err
		}
	}
	for _, args := range [][]string{{"update", "-qq"}, {"install", "-y", "-qq", "--no-install-recommends", "postgresql"}} {
		cmd := exec.Command("apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("apt-get %s: %w\n%s", args[0], err, out)
		}
	}
	return nil
}
