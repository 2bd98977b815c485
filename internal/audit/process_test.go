package audit_test

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
)

// The test binary runs itself as another process: this variable then says what to do.
const roleVariable = "ZVAULT_AUDIT_TEST_ROLE"

// roles are what such a process can do in its working folder, where the log is the folder "audit".
var roles = map[string]func(args []string) error{
	"record":  recordRole,
	"endless": endlessRole,
	"limited": limitedRole,
	"reader":  readerRole,
	"tmpfs":   tmpfsRole,
}

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	if role == "" {
		os.Exit(m.Run())
	}
	if err := roles[role](os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// process returns a command that plays a role in dir.
func process(t *testing.T, role, dir string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	return cmd
}

// fileAnchor is an anchor that processes share: a file to which each Store adds a line; the highest counts.
type fileAnchor string

func (a fileAnchor) Load(context.Context) (audit.Head, error) {
	content, err := os.ReadFile(string(a))
	if errors.Is(err, fs.ErrNotExist) {
		return audit.Head{}, nil
	} else if err != nil {
		return audit.Head{}, err
	}
	var highest audit.Head
	for line := range strings.Lines(string(content)) {
		seq, hash, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		var h audit.Head
		if h.Seq, err = strconv.ParseUint(seq, 10, 64); err != nil || len(hash) != 64 {
			continue // cut short by a kill
		}
		if _, err := hex.Decode(h.Hash[:], []byte(hash)); err != nil {
			return audit.Head{}, err
		}
		if h.Seq > highest.Seq {
			highest = h
		}
	}
	return highest, nil
}

func (a fileAnchor) Store(_ context.Context, h audit.Head) (err error) {
	f, err := os.OpenFile(string(a), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = fmt.Fprintf(f, "\n%d %v\n", h.Seq, h.Hash)
	return err
}

// openShared opens the log in the working folder as a process does.
func openShared(maxFile int64) (*audit.Log, error) {
	return audit.Open("audit", audit.Options{Signer: testSigner, Anchor: fileAnchor("anchor"), MaxFile: maxFile})
}

// recordRole records args[1] entries from number args[0] on, the last as final.
func recordRole(args []string) error {
	first, _ := strconv.Atoi(args[0])
	n, _ := strconv.Atoi(args[1])
	l, err := openShared(100 << 10)
	if err != nil {
		return err
	}
	for i := first; i < first+n-1; i++ {
		if err := l.Record(context.Background(), entry(i)); err != nil {
			return err
		}
	}
	return errors.Join(l.RecordFinal(context.Background(), entry(first+n-1)), l.Close())
}

// endlessRole records entries from number args[0] on until it is killed, from several goroutines, and prints the
// number of each one that was acknowledged.
func endlessRole(args []string) error {
	first, _ := strconv.Atoi(args[0])
	l, err := openShared(400 << 10)
	if err != nil {
		return err
	}
	errs := make(chan error)
	for g := range 4 {
		go func() {
			for i := first + g; ; i += 4 {
				e := entry(i)
				e.Reason = strings.Repeat("x", i*37%500) // so that lines cross the pages anywhere
				if i%5 == 0 {                            // and writes take long enough to be cut short
					for k := range 2000 {
						e.Keys = append(e.Keys, "A_LONG_NAME_OF_A_SECRET_"+strconv.Itoa(k))
					}
				}
				record := l.Record
				if i%9 == 0 {
					record = l.RecordFinal
				}
				if err := record(context.Background(), e); err != nil {
					errs <- err
					return
				}
				fmt.Printf("%d\n", i) // one write(2)
			}
		}()
	}
	return <-errs
}

// soak returns n, or many times n where a long run is asked for.
func soak(n int) int {
	if os.Getenv("ZVAULT_SOAK") == "1" {
		return 20 * n
	}
	return n
}

// shared returns a bench for the log that processes write below dir.
func shared(t *testing.T, dir string) *bench {
	t.Helper()
	b := newBench(t)
	b.dir = filepath.Join(dir, "audit")
	head, err := fileAnchor(filepath.Join(dir, "anchor")).Load(t.Context())
	must(t, err)
	b.anchor.head = head
	return b
}

func TestProcesses_Append(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const processes, each = 20, 50
	var wg sync.WaitGroup
	errs := make(chan error, processes)
	for p := range processes {
		cmd := process(t, "record", dir, strconv.Itoa(p*each), strconv.Itoa(each))
		wg.Go(func() { errs <- cmd.Run() })
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		must(t, err)
	}
	b := shared(t, dir)
	if r := b.verify(t); r.Entries != processes*each || r.Recovered != 0 || r.Uncovered != 0 || r.Files < 2 {
		t.Errorf("report %+v", r)
	}
	next := make([]int, processes)
	for e, err := range audit.Query(t.Context(), b.dir, audit.Filter{}) {
		must(t, err)
		n, err := strconv.Atoi(strings.TrimPrefix(e.Request, "r-"))
		must(t, err)
		if next[n/each] != n%each {
			t.Fatalf("process %d: entry %d where %d should be", n/each, n%each, next[n/each])
		}
		next[n/each]++
	}
}

// Processes are killed at random moments. Every entry that was acknowledged is there, and the chain holds: right after
// the kill, and after the next process has gone on.
func TestProcesses_Killed(t *testing.T) {
	t.Parallel()
	for range soak(1) {
		killRounds(t, t.TempDir(), 20)
	}
}

func killRounds(t *testing.T, dir string, rounds int) {
	t.Helper()
	acknowledged := map[string]bool{}
	recovered := 0
	for round := range rounds {
		for _, n := range killed(t, dir, round*100000) {
			acknowledged[request(n)] = true
		}
		shared(t, dir).verify(t)
		if out, err := process(t, "record", dir, strconv.Itoa(round*100000+99990), "2").Output(); err != nil {
			t.Fatalf("round %d: %v: %s", round, err, out)
		}
		r := shared(t, dir).verify(t)
		if r.Uncovered != 0 || r.Torn != 0 {
			t.Fatalf("round %d: report %+v", round, r)
		}
		recovered = r.Recovered
	}
	found := 0
	for e, err := range audit.Query(t.Context(), filepath.Join(dir, "audit"), audit.Filter{}) {
		must(t, err)
		if acknowledged[e.Request] {
			found++
			delete(acknowledged, e.Request)
		}
	}
	if len(acknowledged) > 0 || found == 0 {
		t.Errorf("%d acknowledged entries found, %d lost", found, len(acknowledged))
	}
	t.Logf("%d acknowledged entries, %d torn writes", found, recovered)
}

// killed runs two processes that record until they are killed, one a little after the other, and returns the numbers
// that they acknowledged.
func killed(t *testing.T, dir string, first int) (acknowledged []int) {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for p := range 2 {
		cmd := process(t, "endless", dir, strconv.Itoa(first+p*50000))
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		after := rand.IntN(60)
		wg.Go(func() {
			lines := bufio.NewScanner(out)
			for n := 0; lines.Scan(); n++ {
				if n == after {
					// Not right at an acknowledgement, but anywhere within the next writes.
					time.AfterFunc(time.Duration(rand.IntN(1000))*time.Microsecond, func() { _ = cmd.Process.Kill() })
				}
				i, err := strconv.Atoi(lines.Text())
				if err != nil {
					break // cut short by the kill
				}
				mu.Lock()
				acknowledged = append(acknowledged, i)
				mu.Unlock()
			}
			if err := cmd.Wait(); err == nil || cmd.ProcessState.Exited() && runtime.GOOS != "windows" {
				t.Errorf("the process was not killed: %v", err)
			}
		})
	}
	wg.Wait()
	return acknowledged
}

// A process that may write only so many bytes to a file is told so, and what it could not write whole is taken back.
func TestProcesses_DiskFull(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		return // there is no such limit; the code is the same
	}
	for _, role := range fullRoles {
		dir := t.TempDir()
		cmd := process(t, role, dir)
		isolate(cmd)
		out, err := cmd.Output()
		if errors.Is(err, fs.ErrPermission) { // who may not mount has the other way only
			cmd = process(t, "limited", dir)
			out, err = cmd.Output()
		}
		if err != nil {
			t.Fatalf("%s: %v", role, err)
		}
		n, err := strconv.Atoi(strings.TrimSpace(string(out)))
		must(t, err)
		b := shared(t, dir)
		r := b.verify(t)
		if n < 5 || r.Entries != n || r.Recovered != 0 || r.Torn != 0 {
			t.Errorf("%s: %d entries acknowledged, report %+v", role, n, r)
		}
		b.wantEntries(t, n)
		// With room again the log goes on.
		if out, err := process(t, "record", dir, strconv.Itoa(n), "1").Output(); err != nil {
			t.Fatalf("%s: %v: %s", role, err, out)
		}
		b = shared(t, dir)
		b.wantEntries(t, n+1)
		if r := b.verify(t); r.Uncovered != 0 {
			t.Errorf("%s: report %+v", role, r)
		}
	}
}

// untilFull records until that fails, three times over, and prints how many entries were acknowledged.
func untilFull(full error) error {
	l, err := openShared(0)
	if err != nil {
		return err
	}
	n := 0
	for ; ; n++ {
		if n > 10000 {
			return errors.New("it never became full")
		}
		if err = l.Record(context.Background(), entry(n)); err != nil {
			break
		}
	}
	for range 3 {
		if !errors.Is(err, audit.ErrUnavailable) || !errors.Is(err, full) {
			return fmt.Errorf("unexpected error %w", err)
		}
		big := entry(n)
		big.Reason = strings.Repeat("x", 400)
		err = l.Record(context.Background(), big)
	}
	fmt.Println(n)
	return nil
}

// A process that may read but not write cannot record, and is told why.
func TestProcesses_ReadOnly(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		return // access is not a matter of modes there
	}
	b := newBench(t)
	b.write(t, 0, 3)
	dir := filepath.Dir(b.dir)
	must(t, os.Chmod(b.dir, 0o555))
	must(t, os.Chmod(b.path(), 0o444))
	before := b.read(t)
	out, err := process(t, "reader", dir).Output()
	must(t, os.Chmod(b.dir, 0o700))
	if err != nil || strings.TrimSpace(string(out)) != "3" {
		t.Errorf("%v: %s", err, out)
	}
	if string(before) != string(b.read(t)) {
		t.Error("the log was changed")
	}
	must(t, os.Chmod(b.path(), 0o600))
	b.write(t, 3, 4)
	b.wantEntries(t, 4)
}

// readerRole gives up its rights, tries to record, verifies and prints the number of entries.
func readerRole([]string) error {
	if err := becomeNobody(); err != nil {
		return err
	}
	for _, dir := range []string{"audit", "new"} { // an existing log, and one that would have to be made
		l, err := audit.Open(dir, audit.Options{Signer: testSigner})
		if err != nil {
			return err
		}
		for range 2 {
			err = l.Record(context.Background(), entry(9))
			if !errors.Is(err, audit.ErrUnavailable) || !errors.Is(err, fs.ErrPermission) {
				return fmt.Errorf("unexpected result: %w", err)
			}
		}
	}
	r, err := audit.VerifyDir(context.Background(), "audit", testSigner.Public(), nil)
	fmt.Println(r.Entries)
	return err
}
