package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/redact"
)

func (a *app) redactCommand() *cobra.Command {
	return &cobra.Command{
		Use: "redact", Short: "Mask the environment's values in what passes from stdin to stdout", Args: cobra.NoArgs,
		Long: `Copy stdin to stdout and put [redacted:NAME] in the place of every value of the environment, in all usual encodings: base64, hex,
percent-encoding, JSON, HTML, shell quotes, reversed. What may be the beginning of a value waits for the rest; all else passes at once.`,
		Example: `  kubectl logs web | zvault redact
  zvault redact --env production <app.log >shareable.log`,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.redactStream(cmd.Context()) },
	}
}

func (a *app) redactStream(ctx context.Context) error {
	a.once = true
	s, e, err := a.opened(ctx)
	if err != nil {
		return err
	}
	over, err := a.fileLayer("")
	if err != nil {
		return err
	}
	resolved, err := s.Reveal(ctx, a.caller(), e, platform.Selection{Over: over, NoPersonal: a.inCI()})
	if err != nil {
		return describeUnresolved(err)
	}
	if err := a.close(); err != nil { // the stream may be long
		return err
	}
	all := make([]redact.Secret, len(resolved))
	for i, v := range resolved {
		all[i] = redact.Secret{Name: v.Name, Value: v.Value}
	}
	m, err := redact.New(all)
	if err != nil {
		return err
	}
	return filter(m.Writer(a.out), a.in)
}

// filter copies, and passes on at once what is certain.
func filter(w *redact.Writer, r io.Reader) error {
	buf := make([]byte, 64<<10)
	for {
		n, err := r.Read(buf)
		if _, failed := w.Write(buf[:n]); failed != nil {
			return writing(failed)
		}
		if errors.Is(err, io.EOF) {
			return writing(w.Close())
		}
		if err != nil {
			return errors.Join(fmt.Errorf("reading stdin: %w", err), w.Close())
		}
		if err := w.Flush(); err != nil {
			return writing(err)
		}
	}
}
