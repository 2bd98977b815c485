package record_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ArcadeLabsInc/zvault/internal/audit/record"
)

// seal writes e as the line after head.
func seal(t interface{ Fatal(...any) }, e *record.Entry, head record.Head) []byte {
	if err := e.Validate(); err != nil {
		t.Fatal(err)
	}
	b, _ := record.AppendLine(nil, record.AppendEntry(nil, e), head)
	return b
}

// cases reads a file of cases, one a line; lines that begin with # are comments.
func cases(t testing.TB, path string) (lines []string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for l := range strings.Lines(string(b)) {
		if !strings.HasPrefix(l, "#") {
			lines = append(lines, l)
		}
	}
	if len(lines) == 0 {
		t.Fatalf("%s holds no cases", path)
	}
	return lines
}

func full() record.Entry {
	return record.Entry{
		Time:   time.Date(2026, 11, 23, 19, 12, 0, 42, time.UTC),
		Actor:  record.Actor{Kind: record.Person, ID: "u1", Name: "dana"},
		Client: record.Client{Kind: record.CLI, Name: "zvault", Version: "1.0.0", PID: 412},
		Action: "secret.reveal", Org: "o", Project: "web", Environment: "production",
		Keys: []string{"DATABASE_URL", "API_KEY"}, Revision: 12, Outcome: record.OK,
		Reason: "run", Request: "r-1", Digests: map[string]string{"token": "hmac-sha256:00", "b": "x"},
	}
}

// The lines in testdata are what released versions wrote: every later one has to read them and write them alike.
func TestParseLine_KeptLines(t *testing.T) {
	t.Parallel()
	kinds := map[record.Kind]int{}
	for _, line := range cases(t, "testdata/lines.jsonl") {
		l, ok, err := record.ParseLine([]byte(line))
		if err != nil || !ok {
			t.Fatalf("line refused (hash matches: %v, %v): %s", ok, err, line)
		}
		again, head := record.AppendLine(nil, record.AppendBody(nil, &l), record.Head{Seq: l.Seq - 1, Hash: l.Prev})
		if string(again) != line || head != l.Head {
			t.Errorf("written again, the line differs:\n%s%s", line, again)
		}
		kinds[l.Kind]++
	}
	for _, k := range []record.Kind{record.KindEntry, record.KindHeader, record.KindCheckpoint, record.KindContinued,
		record.KindRecovered, record.KindGap} {
		if kinds[k] == 0 {
			t.Errorf("no line of kind %s", k)
		}
	}
}

func TestParseLine_KeptEntry(t *testing.T) {
	t.Parallel()
	want := full()
	want.Seq = 7
	for _, line := range cases(t, "testdata/lines.jsonl") {
		if l, _, err := record.ParseLine([]byte(line)); err == nil && l.Seq == 7 {
			if d := cmp.Diff(want, l.Entry); d != "" {
				t.Error(d)
			}
			return
		}
	}
	t.Fatal("the kept lines have none with seq 7")
}

// The hash of a line can be found with sha256sum alone, as the package's documentation says.
func TestAppendLine_HashOfPrefix(t *testing.T) {
	t.Parallel()
	e := full()
	line := seal(t, &e, record.Head{Seq: 6, Hash: record.Hash{1}})
	prefix, rest, found := bytes.Cut(line, []byte(`,"hash":"`))
	sum := sha256.Sum256(prefix)
	if want := hex.EncodeToString(sum[:]) + "\"}\n"; !found || string(rest) != want {
		t.Errorf("hash %s, want %s", rest, want)
	}
	if !bytes.Contains(prefix, []byte(`"prev":"01000000`)) {
		t.Errorf("the previous hash is not in the line: %s", prefix)
	}
}

func TestParseLine_Malformed(t *testing.T) {
	t.Parallel()
	for _, line := range cases(t, "testdata/malformed.jsonl") {
		if _, _, err := record.ParseLine([]byte(line)); !errors.Is(err, record.ErrMalformed) {
			t.Errorf("accepted: %s", line)
		}
	}
}

// Whatever is inserted into, taken from or doubled in a line is refused, or at least does not match the hash.
func TestParseLine_EveryEdit(t *testing.T) {
	t.Parallel()
	for _, line := range cases(t, "testdata/lines.jsonl") {
		b := []byte(line)
		for i := range b {
			edits := [][]byte{
				append(bytes.Clone(b[:i]), b[i+1:]...),
				append(append(bytes.Clone(b[:i]), ' '), b[i:]...),
				append(append(bytes.Clone(b[:i]), b[i]), b[i:]...),
			}
			for _, edit := range edits {
				if _, ok, err := record.ParseLine(edit); err == nil && ok && !bytes.Equal(edit, b) {
					t.Fatalf("accepted: %s", edit)
				}
			}
		}
	}
}

func TestEntry_Validate(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*record.Entry){
		"no action":        func(e *record.Entry) { e.Action = "" },
		"capital":          func(e *record.Entry) { e.Action = "Secret.reveal" },
		"leading dot":      func(e *record.Entry) { e.Action = ".reveal" },
		"two dots":         func(e *record.Entry) { e.Action = "secret..reveal" },
		"trailing dot":     func(e *record.Entry) { e.Action = "secret." },
		"no outcome":       func(e *record.Entry) { e.Outcome = "" },
		"other outcome":    func(e *record.Entry) { e.Outcome = "maybe" },
		"actor kind":       func(e *record.Entry) { e.Actor.Kind = "robot" },
		"no actor kind":    func(e *record.Entry) { e.Actor.Kind = "" },
		"client kind":      func(e *record.Entry) { e.Client.Kind = "browser" },
		"negative pid":     func(e *record.Entry) { e.Client.PID = -1 },
		"year 10000":       func(e *record.Entry) { e.Time = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"year -1":          func(e *record.Entry) { e.Time = time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC) },
		"digest not UTF-8": func(e *record.Entry) { e.Digests = map[string]string{"a\xff": "x"} },
	} {
		e := full()
		if err := e.Validate(); err != nil {
			t.Fatal(err)
		}
		if change(&e); !errors.Is(e.Validate(), record.ErrInvalid) {
			t.Errorf("%s: accepted", name)
		}
	}
}

// entries draws entries that are valid, with text of all sorts.
func entries(t *rapid.T) record.Entry {
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[A-Z_]{1,20}`),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
	e := record.Entry{
		Time:   time.Unix(rapid.Int64Range(-62135596800, 253402300799).Draw(t, "second"), rapid.Int64Range(0, 999999999).Draw(t, "ns")),
		Action: rapid.StringMatching(`[a-z0-9_-]{1,8}(\.[a-z0-9_-]{1,8}){0,3}`).Draw(t, "action"),
		Org:    text.Draw(t, "org"), Project: text.Draw(t, "project"), Environment: text.Draw(t, "env"),
		Keys:     rapid.SliceOf(text).Draw(t, "keys"),
		Revision: rapid.Uint64().Draw(t, "revision"),
		Outcome:  rapid.SampledFrom([]record.Outcome{record.OK, record.Denied, record.Failed}).Draw(t, "outcome"),
		Reason:   text.Draw(t, "reason"), Request: text.Draw(t, "request"),
		Digests: rapid.MapOf(rapid.String(), text).Draw(t, "digests"),
	}
	if rapid.Bool().Draw(t, "actor?") {
		e.Actor = record.Actor{Kind: record.Assistant, ID: text.Draw(t, "id"), Name: text.Draw(t, "name")}
	}
	if rapid.Bool().Draw(t, "client?") {
		e.Client = record.Client{Kind: record.MCP, Name: text.Draw(t, "client"), PID: rapid.IntRange(0, 1<<22).Draw(t, "pid")}
	}
	return e
}

// expected is what a reader gets of s: the same, but for what was not UTF-8.
func expected(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteRune(r)
	}
	return b.String()
}

func TestEntry_RoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := entries(t)
		line := seal(t, &e, record.Head{Seq: 41})
		l, ok, err := record.ParseLine(line)
		if err != nil || !ok {
			t.Fatalf("own line refused (hash matches: %v, %v): %s", ok, err, line)
		}
		again, _ := record.AppendLine(nil, record.AppendBody(nil, &l), record.Head{Seq: 41})
		if !bytes.Equal(line, again) {
			t.Fatalf("written again, the line differs:\n%s%s", line, again)
		}
		got := l.Entry
		if got.Project != expected(e.Project) || got.Actor.Name != expected(e.Actor.Name) || got.Action != e.Action ||
			!got.Time.Equal(e.Time) || got.Revision != e.Revision || len(got.Keys) != len(e.Keys) || len(got.Digests) != len(e.Digests) {
			t.Fatalf("read %+v, written %+v", got, e)
		}
		for i, k := range e.Keys {
			if got.Keys[i] != expected(k) {
				t.Fatalf("key %q, want %q", got.Keys[i], expected(k))
			}
		}
		for n, d := range e.Digests {
			if got.Digests[n] != expected(d) {
				t.Fatalf("digest %q, want %q", got.Digests[n], expected(d))
			}
		}
	})
}

// The line is JSON, and another parser reads the same from it.
func TestEntry_IsJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := entries(t)
		line := seal(t, &e, record.Head{})
		l, _, err := record.ParseLine(line)
		if err != nil {
			t.Fatal(err)
		}
		var other struct {
			Seq     uint64
			Time    time.Time
			Project string
			Keys    []string
			Reason  string
			Digests map[string]string
		}
		d := json.NewDecoder(bytes.NewReader(line))
		if err := d.Decode(&other); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		if other.Seq != 1 || !other.Time.Equal(l.Entry.Time) || other.Project != l.Entry.Project || other.Reason != l.Entry.Reason ||
			!reflect.DeepEqual(other.Keys, l.Entry.Keys) || !reflect.DeepEqual(other.Digests, l.Entry.Digests) {
			t.Fatalf("read as %+v, ours %+v", other, l.Entry)
		}
	})
}

func TestEntry_TerminalSafe(t *testing.T) {
	t.Parallel()
	e := full()
	e.Actor.Name = "\x1b[2J\x07\x00\x7f\u0080\u009b\u061c\u200e\u200f\u2028\u2029\u202a\u202e\u2066\u2069\ufeff ok\r\n\"\\\t"
	line := seal(t, &e, record.Head{})
	for _, r := range string(line[:len(line)-1]) {
		if r < 0x20 || r >= 0x7f {
			t.Errorf("%U stands in the line as it is", r)
		}
	}
	l, ok, err := record.ParseLine(line)
	if err != nil || !ok || l.Entry.Actor.Name != e.Actor.Name {
		t.Errorf("read back %q", l.Entry.Actor.Name)
	}
}

func TestEntry_ReasonIsCut(t *testing.T) {
	t.Parallel()
	for _, s := range []string{strings.Repeat("x", 600), strings.Repeat("é", 300), strings.Repeat("\xff", 511) + "é",
		strings.Repeat("a\xff", 300), strings.Repeat("🔑", 200), strings.Repeat("x", record.MaxReason)} {
		e := full()
		e.Reason = s
		l, _, err := record.ParseLine(seal(t, &e, record.Head{}))
		got := l.Entry.Reason
		if err != nil || len(got) > record.MaxReason || !utf8.ValidString(got) || len(got) < min(len(s), 3) {
			t.Errorf("reason of %d bytes: %v, got %d bytes %q", len(s), err, len(got), got)
		}
	}
}

func TestCheckpointMessage(t *testing.T) {
	t.Parallel()
	got := record.CheckpointMessage(nil, 12, record.Hash{0xab}, time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC))
	want := "zvault audit checkpoint 1\n12\nab" + strings.Repeat("00", 31) + "\n2026-01-02T03:04:05.000000006Z\n"
	if string(got) != want {
		t.Errorf("got %q", got)
	}
}

func FuzzParseLine(f *testing.F) {
	for _, path := range []string{"testdata/lines.jsonl", "testdata/malformed.jsonl"} {
		for _, line := range cases(f, path) {
			f.Add([]byte(line))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		l, ok, err := record.ParseLine(b)
		if err != nil {
			if ok {
				t.Fatal("refused, yet the hash matches")
			}
			return
		}
		again, head := record.AppendLine(nil, record.AppendBody(nil, &l), record.Head{Seq: l.Seq - 1, Hash: l.Prev})
		if ok != (head == l.Head) {
			t.Fatalf("hash matches: %v", ok)
		}
		if ok && !bytes.Equal(again, b) {
			t.Fatalf("read:\n%swritten again:\n%s", b, again)
		}
		if prefix, _, _ := bytes.Cut(again, []byte(`,"hash":"`)); !bytes.HasPrefix(b, prefix) {
			t.Fatalf("read:\n%swritten again:\n%s", b, again)
		}
		if l.Kind == record.KindEntry && l.Entry.Validate() != nil {
			t.Fatalf("read an invalid entry: %v", l.Entry.Validate())
		}
		if record.SeqOf(b) != l.Seq {
			t.Fatalf("SeqOf: %d, not %d", record.SeqOf(b), l.Seq)
		}
	})
}
