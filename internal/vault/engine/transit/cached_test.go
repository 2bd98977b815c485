package transit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/transit"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical/logicaltest"
)

// cached keeps what was decoded until the next write, as the core does.
type cached struct {
	logical.Storage
	mu      sync.RWMutex
	decoded map[string]any
}

func (c *cached) Decoded(ctx context.Context, name string, decode func([]byte) (any, error)) (any, error) {
	c.mu.RLock()
	v, ok := c.decoded[name]
	c.mu.RUnlock()
	if ok {
		return v, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	v, err := c.Storage.Decoded(ctx, name, decode)
	if err == nil {
		c.decoded[name] = v
	}
	return v, err
}

func (c *cached) Update(ctx context.Context, fn func(storage.Tx) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.decoded)
	return c.Storage.Update(ctx, fn)
}

func newCached(t testing.TB) *logicaltest.Mount {
	m := logicaltest.New(t, transit.New(), nil)
	m.Storage = &cached{Storage: m.Storage, decoded: map[string]any{}}
	return m
}

func request(m *logicaltest.Mount, path string, raw map[string]any) *logical.Request {
	return &logical.Request{
		Operation: logical.Update, Path: path, Mount: m.Path, Data: logical.NewData(raw), Storage: m.Storage, Token: m.Token,
		Header: m.Headers.Get, Time: m.Now,
	}
}

// TestConcurrent uses one shared key from many sides while it is rotated. It is for the race detector as well.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"aes256-gcm96", "chacha20-poly1305", "rsa-2048"} {
		m := newCached(t)
		m.Must(t, logical.Update, "keys/a", fmt.Sprintf(`{"type":%q}`, kind))
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for range 25 {
					sealed := object(t, m, logical.Update, "encrypt/a", `{"plaintext":"aGk="}`)["ciphertext"]
					if got := object(t, m, logical.Update, "decrypt/a", fmt.Sprintf(`{"ciphertext":%q}`, sealed))["plaintext"]; got != "aGk=" {
						t.Errorf("%s: decrypted to %v", kind, got)
					}
				}
			})
		}
		if kind != "rsa-2048" {
			for range 10 {
				m.Must(t, logical.Update, "keys/a/rotate", "")
			}
		}
		all.Wait()
	}
}

// TestConcurrent_Create lets many encrypt with a key that is not there: all get the same.
func TestConcurrent_Create(t *testing.T) {
	t.Parallel()
	m := newCached(t)
	var all sync.WaitGroup
	texts := make([]any, 8)
	for i := range texts {
		all.Go(func() { texts[i] = object(t, m, logical.Update, "encrypt/new", `{"plaintext":"aGk="}`)["ciphertext"] })
	}
	all.Wait()
	for _, text := range texts {
		if got := object(t, m, logical.Update, "decrypt/new", fmt.Sprintf(`{"ciphertext":%q}`, text))["plaintext"]; got != "aGk=" {
			t.Errorf("decrypted to %v", got)
		}
	}
	if n := latest(t, m, "new"); n != 1.0 {
		t.Errorf("latest version %v", n)
	}
}

// TestAudit looks at what the audit log gets: the same object with every text hashed.
func TestAudit(t *testing.T) {
	t.Parallel()
	m := logicaltest.New(t, transit.New(), nil)
	m.Must(t, logical.Update, "keys/a", "")
	m.Must(t, logical.Update, "keys/p", `{"type":"ecdsa-p256"}`)
	sealed := object(t, m, logical.Update, "encrypt/a", `{"plaintext":"aGk="}`)["ciphertext"].(string)
	for _, call := range []struct{ path, body string }{
		{"encrypt/a", `{"plaintext":"aGk="}`},
		{"decrypt/a", fmt.Sprintf(`{"ciphertext":%q}`, sealed)},
		{"decrypt/a", fmt.Sprintf(`{"batch_input":[{"ciphertext":%q,"reference":"<\"&\\"},{"ciphertext":"x","reference":"é\u0001"}]}`, sealed)},
		{"sign/p", `{"input":"aGk="}`},
		{"hmac/a", `{"input":"aGk="}`},
		{"datakey/plaintext/a", ""},
		{"random", ""},
		{"hash", `{"input":"aGk="}`},
	} {
		resp := m.Must(t, logical.Update, call.path, call.body)
		if resp.Rendered == nil || resp.Sensitive == nil {
			t.Fatalf("%s: not rendered", call.path)
		}
		var seen []string
		line := resp.Sensitive.Audit([]byte("before "), func(s string) string {
			seen = append(seen, s)
			return "hmac-sha256:" + fmt.Sprint(len(seen))
		})
		line, ok := bytes.CutPrefix(line, []byte("before "))
		var data, shown any
		if !ok || json.Unmarshal(line, &shown) != nil || json.Unmarshal(resp.Rendered, &data) != nil {
			t.Fatalf("%s: line %s", call.path, line)
		}
		var texts []string
		compare(t, data, shown, &texts)
		if len(texts) == 0 {
			t.Errorf("%s: nothing in it", call.path)
		}
		for _, text := range texts {
			if !strings.Contains("\x00"+strings.Join(seen, "\x00")+"\x00", "\x00"+text+"\x00") {
				t.Errorf("%s: a text was not hashed as it is", call.path)
			}
		}
	}
}

// compare requires that shown is data with its texts replaced, which it collects.
func compare(t *testing.T, data, shown any, texts *[]string) {
	t.Helper()
	switch data := data.(type) {
	case map[string]any:
		for name, value := range data {
			compare(t, value, shown.(map[string]any)[name], texts)
		}
	case []any:
		for i, value := range data {
			compare(t, value, shown.([]any)[i], texts)
		}
	case string:
		*texts = append(*texts, data)
		if text, ok := shown.(string); !ok || !strings.HasPrefix(text, "hmac-sha256:") {
			t.Error("a text is shown")
		}
	default:
		if data != shown {
			t.Errorf("shown %v as %v", data, shown)
		}
	}
}

// Most that one call may allocate. What the storage and the decoding of JSON need is not in it.
const (
	encryptAllocations = 8
	decryptAllocations = 8
)

func TestAllocations(t *testing.T) {
	m := newCached(t)
	m.Must(t, logical.Update, "keys/a", "")
	sealed := object(t, m, logical.Update, "encrypt/a", `{"plaintext":"aGk="}`)["ciphertext"]
	for path, call := range map[string]struct {
		body map[string]any
		most float64
	}{
		"encrypt/a": {map[string]any{"plaintext": "aGk="}, encryptAllocations},
		"decrypt/a": {map[string]any{"ciphertext": sealed}, decryptAllocations},
	} {
		r := request(m, path, call.body)
		n := testing.AllocsPerRun(100, func() {
			if _, err := m.Backend.Handle(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		})
		if n > call.most {
			t.Errorf("%s allocates %v times, want at most %v", path, n, call.most)
		}
	}
}

func benchmark(b *testing.B, kind, path string, body func(m *logicaltest.Mount) map[string]any) {
	m := newCached(b)
	m.Must(b, logical.Update, "keys/a", fmt.Sprintf(`{"type":%q}`, kind))
	r := request(m, path, body(m))
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Backend.Handle(ctx, r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncrypt(b *testing.B) {
	for _, kind := range []string{"aes256-gcm96", "chacha20-poly1305"} {
		for _, size := range []int{32, 4096} {
			b.Run(fmt.Sprintf("%s/%d", kind, size), func(b *testing.B) {
				benchmark(b, kind, "encrypt/a", func(*logicaltest.Mount) map[string]any {
					return map[string]any{"plaintext": b64(make([]byte, size))}
				})
			})
		}
	}
}

func BenchmarkDecrypt(b *testing.B) {
	for _, kind := range []string{"aes256-gcm96", "chacha20-poly1305"} {
		for _, size := range []int{32, 4096} {
			b.Run(fmt.Sprintf("%s/%d", kind, size), func(b *testing.B) {
				benchmark(b, kind, "decrypt/a", func(m *logicaltest.Mount) map[string]any {
					body := fmt.Sprintf(`{"plaintext":%q}`, b64(make([]byte, size)))
					return map[string]any{"ciphertext": object(b, m, logical.Update, "encrypt/a", body)["ciphertext"]}
				})
			})
		}
	}
}

func BenchmarkEncryptBatch(b *testing.B) {
	benchmark(b, "aes256-gcm96", "encrypt/a", func(*logicaltest.Mount) map[string]any {
		items := make([]any, 100)
		for i := range items {
			items[i] = map[string]any{"plaintext": "aGVsbG8="}
		}
		return map[string]any{"batch_input": items}
	})
}

func BenchmarkSign(b *testing.B) {
	for _, kind := range []string{"ed25519", "ecdsa-p256", "rsa-2048"} {
		b.Run(kind, func(b *testing.B) {
			benchmark(b, kind, "sign/a", func(*logicaltest.Mount) map[string]any { return map[string]any{"input": "aGVsbG8="} })
		})
	}
}

func BenchmarkHMAC(b *testing.B) {
	benchmark(b, "aes256-gcm96", "hmac/a", func(*logicaltest.Mount) map[string]any { return map[string]any{"input": "aGVsbG8="} })
}
