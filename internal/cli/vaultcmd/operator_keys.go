package vaultcmd

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/vaultclient"
)

// keyStatus prints which key is in use.
func (c *call) keyStatus(client *vaultclient.Client) error {
	var st struct {
		Term        int       `json:"term"`
		InstallTime time.Time `json:"install_time"`
		Encryptions int64     `json:"encryptions"`
	}
	if err := c.ask(client, http.MethodGet, "sys/key-status", nil, &st); err != nil {
		return refused(err, "Error reading key status")
	}
	if c.format != asTable {
		return c.document(st)
	}
	return c.print(columns([][]string{
		{"Key Term", strconv.Itoa(st.Term)}, {"Install Time", st.InstallTime.UTC().Format(time.RFC822)},
		{"Encryption Count", strconv.FormatInt(st.Encryptions, 10)},
	}))
}

// saveStream writes a stream to a file of mode 0600, which takes its name only when all of it is on disk. An empty stream is
// an error: it is no snapshot.
func saveStream(path string, from io.Reader) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // the error that led here is the one to tell
		}
	}()
	n, err := io.Copy(f, from)
	if err == nil {
		err = f.Sync()
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err == nil && n == 0 {
		err = errors.New("the server sent nothing")
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
