package redteam

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/ArcadeLabsInc/zvault/internal/redact"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

const maxLoot = 64 << 20

// leftFiles reads what lies below a folder.
func leftFiles(dir string, h *haul) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		if info, err := d.Info(); err != nil || info.Size() > maxLoot {
			return err
		}
		data, err := os.ReadFile(path)
		h.add(data)
		return err
	})
}

// out reports whether the value is in what the thief has got, in any form that package redact knows, or after the attack's own
// decoding.
func (s *stage) out(ctx context.Context, a Attack) (bool, error) {
	if err := leftFiles(s.loot, &s.haul); err != nil {
		return false, fmt.Errorf("reading what the attack left: %w", err)
	}
	finder, err := redact.New([]redact.Secret{{Name: target, Value: secret.Of(s.value), Force: true}})
	if err != nil {
		return false, err
	}
	for _, piece := range s.haul.all() {
		if bytes.Contains(piece, []byte(s.value)) || len(finder.Find(piece)) > 0 {
			return true, nil
		}
		if a.Decode == "" || len(piece) == 0 {
			continue
		}
		cmd := exec.CommandContext(ctx, "sh", "-c", a.Decode)
		cmd.Stdin = bytes.NewReader(piece)
		text, _ := cmd.Output() // what is not of this attack's form does not decode
		if bytes.Contains(text, []byte(s.value)) {
			return true, nil
		}
	}
	return false, nil
}
