package sandbox_test

import (
	"bufio"
	"os"
	"path/filepath"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/sandbox"
)

// Files that appear while the program runs are hidden too, after an instant.
func TestCommand_FilesThatAppear(t *testing.T) {
	for name, test := range map[string]struct {
		look   string
		appear func(t *testing.T, s *scene)
		stays  bool
	}{
		"created": {"src/project/sub/.env.later", func(t *testing.T, s *scene) { s.put(t, "src/project/sub/.env.later") }, false},
		"renamed over the old one": {"src/project/.env", func(t *testing.T, s *scene) {
			must(t, os.Rename(s.put(t, "src/project/.env~"), filepath.Join(s.project, ".env")))
		}, false},
		"moved in with a folder": {"src/project/package/x/.env", func(t *testing.T, s *scene) {
			s.put(t, "elsewhere/x/.env")
			must(t, os.Rename(filepath.Join(s.home, "elsewhere"), filepath.Join(s.project, "package")))
		}, false},
		"in a new folder":   {"src/project/new/er/.env", func(t *testing.T, s *scene) { s.put(t, "src/project/new/er/.env") }, false},
		"credential stored": {".config/stripe/config.toml", func(t *testing.T, s *scene) { s.put(t, ".config/stripe/config.toml") }, false},
		"credential replaced": {".netrc", func(t *testing.T, s *scene) {
			must(t, os.Rename(s.put(t, "netrc.new"), filepath.Join(s.home, ".netrc")))
		}, false},
		"the control: any other": {"src/project/later", func(t *testing.T, s *scene) { s.put(t, "src/project/later") }, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			c, _, err := sandbox.Command(deadline(t), s.attack("wait", filepath.Join(s.home, test.look)), s.env(), s.options)
			must(t, err)
			in, err := c.StdinPipe()
			must(t, err)
			out, err := c.StdoutPipe()
			must(t, err)
			must(t, c.Start())
			lines := bufio.NewScanner(out)
			if !lines.Scan() {
				t.Fatal("it did not start")
			}
			test.appear(t, s)
			_, err = in.Write([]byte("now\n"))
			must(t, err)
			for lines.Scan() { // what it saw in the instant before
			}
			_ = c.Wait()
			got, err := sandbox.Ended(c)
			must(t, err)
			if readable := got.Code == 0; readable != test.stays {
				t.Errorf("in the end it is readable: %v, want %v", readable, test.stays)
			}
		})
	}
}
