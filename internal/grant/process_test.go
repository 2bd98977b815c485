package grant_test

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/barrier"
	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/sqldb"
	"github.com/ArcadeLabsInc/zvault/internal/storage/sqlite"
)

// job is what a child process of a test does: spend an approval, once it is told to.
type job struct {
	File, Root          string
	ID, Session, Digest string
}

const jobVariable = "ZVAULT_TEST_GRANT_JOB"

func TestMain(m *testing.M) {
	if text := os.Getenv(jobVariable); text != "" {
		if err := child(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func child(text string) error {
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return err
	}
	ctx := context.Background()
	db, err := sqldb.OpenSQLite(ctx, j.File, sqldb.Options{MustExist: true})
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	under, err := sqlite.New(ctx, db)
	if err != nil {
		return err
	}
	material, err := hex.DecodeString(j.Root)
	if err != nil {
		return err
	}
	root, err := crypt.NewKey(1, material)
	if err != nil {
		return err
	}
	b := barrier.New(under)
	if err := b.Unseal(ctx, root); err != nil {
		return err
	}
	fmt.Println("ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}
	err = grant.NewStore(b, nil).Spend(ctx, j.ID, j.Session, j.Digest)
	switch {
	case err == nil:
		fmt.Println("passed")
	case errors.Is(err, grant.ErrSpent):
		fmt.Println("refused")
	default:
		return err
	}
	return nil
}

// Processes on the same file race for one approval, which another process gave: exactly one passes.
func TestProcesses_SpendOnce(t *testing.T) {
	t.Parallel()
	root, err := crypt.GenerateKey(1)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "vault.db")
	b, _ := sealed(t, file, root)
	var material string
	if err := root.Export(func(m []byte) error { material = hex.EncodeToString(m); return nil }); err != nil {
		t.Fatal(err)
	}
	p := &place{t, grant.NewStore(b, nil), b, nil, &log{}}
	a := p.begin("claude")
	for round := range 3 {
		r := p.asked(p.gate(a), charge())
		p.answer(r, grant.Once)
		if got := p.race(job{file, material, r.ID, a.Session, r.Digest}, 6); got != 1 {
			t.Fatalf("round %d: %d processes passed, want 1", round, got)
		}
	}
}

// race starts n processes, lets them go at once and counts those that passed.
func (p *place) race(j job, n int) (passed int) {
	p.t.Helper()
	text, err := json.Marshal(j)
	if err != nil {
		p.t.Fatal(err)
	}
	type runner struct {
		cmd *exec.Cmd
		out *bufio.Reader
		go1 func() error
	}
	var all []runner
	for range n {
		cmd := exec.CommandContext(p.t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), jobVariable+"="+string(text))
		cmd.Stderr = os.Stderr
		in, err := cmd.StdinPipe()
		if err != nil {
			p.t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			p.t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			p.t.Fatal(err)
		}
		r := runner{cmd, bufio.NewReader(out), func() error { _, err := in.Write([]byte("\n")); return err }}
		if line, err := r.out.ReadString('\n'); line != "ready\n" {
			p.t.Fatalf("a process said %q: %v", line, err)
		}
		all = append(all, r)
	}
	for _, r := range all {
		if err := r.go1(); err != nil {
			p.t.Fatal(err)
		}
	}
	for _, r := range all {
		line, _ := r.out.ReadString('\n')
		if err := r.cmd.Wait(); err != nil {
			p.t.Fatalf("a process: %v", err)
		}
		switch line {
		case "passed\n":
			passed++
		case "refused\n":
		default:
			p.t.Fatalf("a process said %q", line)
		}
	}
	return passed
}
