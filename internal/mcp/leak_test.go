package mcp_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/mcp"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/redact"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// The leak suite: values of all shapes, every tool, every way of going wrong, every encoding. What the model sees holds none. It
// asks the encodings of package redact only for what to look for, and looks itself.

// leakSecret is a value and its name.
type leakSecret struct{ name, value string }

// shapes make a value of a kind from random bytes.
func shapes(r *rand.Rand) []func() string {
	bytesOf := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.UintN(256))
		}
		return b
	}
	from := func(alphabet string, n int) string {
		letters := []rune(alphabet)
		out := make([]rune, n)
		for i := range out {
			out[i] = letters[r.IntN(len(letters))]
		}
		return string(out)
	}
	const (
		plain  = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
		ascii  = " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"
		others = "äöüßéèñçøåłžşđþæœąęıλδπжщюя中文字密码鍵パスワード🔑🗝🧿"
	)
	url := base64.RawURLEncoding
	return []func() string{
		func() string { return "sk_live_" + from(plain, 24) },
		func() string { return hex.EncodeToString(bytesOf(32)) },
		func() string { return base64.StdEncoding.EncodeToString(bytesOf(33)) },
		func() string {
			return url.EncodeToString([]byte(`{"alg":"HS256"}`)) + "." + url.EncodeToString(fmt.Appendf(nil, `{"sub":%q}`, from(plain, 9))) + "." + url.EncodeToString(bytesOf(32))
		},
		func() string {
			return "postgres://app:" + from(plain+"!*", 18) + "@db.internal:5432/shop?sslmode=require"
		},
		func() string { return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: bytesOf(96)})) },
		func() string { return from(others, 14) },
		func() string { return `q"` + from(ascii, 20) + `\'` },
		func() string { return "$" + from(ascii, 12) + "`<&>" },
		func() string { return from("0123456789", 8+r.IntN(12)) },
		func() string { return from(plain, 8) + "-" + from(plain, 4) + "-" + from(plain, 12) },
		func() string { return from("abcdefghij", 5) + " " + from("klmnopqrst", 7) + " " + from("uvwxyz", 6) },
		func() string {
			return fmt.Sprintf("{\n  \"type\": \"service_account\",\n  \"private_key\": %q\n}", from(ascii, 40))
		},
		func() string { return from(plain, 12) + "\n" + from(plain, 14) + "\r\n" + from(plain, 16) },
		func() string { return "C:\\Users\\" + from(plain, 10) + "\\" + from(plain, 6) },
		func() string { return from(plain, 9) + "\t" + from(ascii, 9) + "\x7f\x01" },
		func() string { return from(plain, 2000) },
		func() string { return "%" + from("0123456789ABCDEF", 2) + "+" + from(plain, 14) + "/=" },
		func() string { return "AKIA" + from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16) },
		func() string { return "\u200b" + from(plain, 10) + "\u202e" + from(others, 5) },
	}
}

// leakSecrets makes n of them.
func leakSecrets(r *rand.Rand, n int) []leakSecret {
	var out []leakSecret
	for kinds := shapes(r); len(out) < n; {
		v := kinds[len(out)%len(kinds)]()
		found := false
		redact.Forms(secret.Of(v), func(redact.Encoding, []byte) { found = true })
		if found && !strings.Contains(v, "\x00") {
			out = append(out, leakSecret{fmt.Sprintf("SECRET_%d", len(out)), v})
		}
	}
	return out
}

// forms are all that a value must not be seen as.
func (x leakSecret) forms() [][]byte {
	var out [][]byte
	redact.Forms(secret.Of(x.value), func(_ redact.Encoding, form []byte) { out = append(out, bytes.Clone(form)) })
	return out
}

type echoIn struct {
	Secret int    `json:"secret"`
	Way    string `json:"way"`
}

type echoOut struct {
	Lines []string          `json:"lines"`
	Keys  map[string]string `json:"keys"`
	Text  string            `json:"text"`
}

// echo is a tool that gives a value in every encoding: in texts, names, errors, on the way, in a panic.
func echo(t testing.TB, all []leakSecret) tool.Tool {
	d := tool.Description{Name: "echo", Title: "Echo", Text: "says what it should not", Outside: true, ReadOnly: true}
	return fixture(t, d, func(ctx context.Context, c *tool.Call, a echoIn) (echoOut, error) {
		var lines []string
		for _, f := range all[a.Secret].forms() {
			lines = append(lines, string(f))
		}
		joined := "<" + strings.Join(lines, "> <") + ">"
		switch a.Way {
		case "lines":
			return echoOut{Lines: lines}, nil
		case "keys":
			keys := map[string]string{}
			for _, l := range lines {
				keys["a "+l] = l + " b"
			}
			return echoOut{Keys: keys}, nil
		case "text":
			return echoOut{Text: joined}, nil
		case "nested":
			raw, err := json.Marshal(map[string]any{"body": all[a.Secret].value})
			return echoOut{Text: string(raw)}, err
		case "error":
			return echoOut{}, tool.Failed("failed", "%s", joined)
		case "platform":
			return echoOut{}, &platform.Error{Kind: platform.NotFound, Message: joined}
		case "denied":
			return echoOut{}, &grant.DeniedError{Reason: joined, Hint: all[a.Secret].value}
		case "unforeseen":
			return echoOut{}, errors.New(joined)
		case "progress":
			c.Session.Progress(ctx, 1, 2, joined)
			return echoOut{}, nil
		}
		panic(joined)
	})
}

var echoWays = []string{"lines", "keys", "text", "nested", "error", "platform", "denied", "unforeseen", "progress", "panic"}

// denying is a gate that refuses at once, in words that repeat what it was asked.
type denying struct{}

func (denying) Authorize(_ context.Context, u grant.Use) error {
	return &grant.DeniedError{Use: u, Reason: fmt.Sprintf("not %v", u), Pending: ""}
}

// leaks runs the suite and returns where a value was seen. part is how much of it: every nth value is tried with each argument
// of each tool.
func leaks(t testing.TB, r *rand.Rand, revision, unmasked string, part int) []string {
	t.Helper()
	all := leakSecrets(r, 200)
	h := newHome(t)
	raw := platform.TypeRaw
	batches := map[string][]platform.Change{}
	for i, x := range all {
		v, note := secret.Of(x.value), "the one before was "+all[(i+7)%len(all)].value
		env := []string{"development", "staging", "production"}[i%3]
		batches[env] = append(batches[env], platform.Change{Name: x.name, Value: &v, Type: &raw, Comment: &note})
	}
	for env, changes := range batches {
		_, err := h.Platform.Apply(t.Context(), ada, platform.Env{Project: "shop", Slug: env}, platform.Batch{Changes: changes})
		check(t, err)
	}
	s := h.serve(t, func(o *mcp.Options) {
		o.Tools, o.Gate = append(o.Tools, echo(t, all)), denying{}
		o.Limits = tool.DefaultLimits()
		o.Limits.Time = 5 * time.Second
	})
	s.Unmask(unmasked)
	c := dial(t, s, revision, nil)
	var found []string
	seen := 0
	look := func(what string, about ...leakSecret) {
		text := c.since(&seen)
		for _, x := range about {
			for _, f := range x.forms() {
				if bytes.Contains(text, f) {
					found = append(found, fmt.Sprintf("%s: %s is seen", what, x.name))
					break
				}
			}
		}
	}
	for i, x := range all {
		for _, way := range echoWays {
			p := &sdk.CallToolParams{Name: "zvault_echo", Arguments: echoIn{i, way}}
			p.SetProgressToken(way)
			result, err := c.CallTool(t.Context(), p)
			check(t, err)
			look("echo "+way, x)
			if fine := slices.Contains([]string{"lines", "keys", "text", "nested", "progress"}, way); fine == result.IsError {
				t.Errorf("echo %s of %s: error %v: it was masked too much, or not called", way, x.name, result.IsError)
			}
		}
	}
	for i, each := range calls(t, c, all, part) {
		_, err := c.CallTool(t.Context(), &sdk.CallToolParams{Name: each.tool, Arguments: each.args})
		if err != nil && i == 0 {
			t.Fatal(err)
		}
		look(each.tool, each.about)
	}
	// Nothing of what was listed along the way either.
	for _, env := range []string{"development", "staging", "production"} {
		_ = c.call("list_secrets", map[string]any{"env": env})
		_, err := c.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: "zvault://shop/?env=" + env})
		check(t, err)
		look("lists of "+env, all...)
	}
	return found
}

type leakCall struct {
	tool  string
	args  map[string]any
	about leakSecret
}

// calls makes calls of every tool with values in the place of each argument that takes a text.
func calls(t testing.TB, c *client, all []leakSecret, part int) []leakCall {
	list, err := c.ListTools(t.Context(), nil)
	check(t, err)
	var out []leakCall
	at := 0
	for _, x := range list.Tools {
		if x.Name == "zvault_echo" || x.Name == "zvault_seal" {
			continue
		}
		in, _ := x.InputSchema.(map[string]any)
		properties, _ := in["properties"].(map[string]any)
		var names []string
		for name := range properties {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			for range len(all) / part {
				at++
				about := all[at%len(all)]
				args := filled(properties, names, "zvault-nothing")
				args[name] = valueFor(properties[name], about.value)
				out = append(out, leakCall{x.Name, args, about})
			}
		}
		out = append(out, leakCall{x.Name, map[string]any{"no_such_argument": all[at%len(all)].value}, all[at%len(all)]})
	}
	return out
}

// filled gives every argument something.
func filled(properties map[string]any, names []string, text string) map[string]any {
	args := map[string]any{}
	for _, name := range names {
		args[name] = valueFor(properties[name], text)
	}
	return args
}

// valueFor makes an argument of a kind out of a text.
func valueFor(property any, text string) any {
	p, _ := property.(map[string]any)
	switch p["type"] {
	case "integer", "number":
		return 1
	case "boolean":
		return false
	case "array":
		return []any{valueFor(p["items"], text)}
	case "object":
		out := map[string]any{}
		inner, _ := p["properties"].(map[string]any)
		for name, each := range inner {
			out[name] = valueFor(each, text)
		}
		return out
	}
	return text
}

// since returns what the client has received from a place of the transcript on, as it stands there and with the strings of
// its documents decoded, also of documents within strings.
func (c *client) since(from *int) []byte {
	c.mu.Lock()
	lines := bytes.Clone(c.buf.Bytes()[*from:])
	*from = c.buf.Len()
	c.mu.Unlock()
	var out bytes.Buffer
	for line := range bytes.Lines(lines) {
		received, ok := bytes.CutPrefix(line, []byte("read: "))
		if !ok {
			continue
		}
		out.Write(received)
		decoded(&out, received, 3)
	}
	return out.Bytes()
}

func decoded(out *bytes.Buffer, document []byte, depth int) {
	var v any
	if depth == 0 || json.Unmarshal(document, &v) != nil {
		return
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			out.WriteString(v + "\n")
			if _, rest, ok := strings.Cut(v, "\n"); ok {
				decoded(out, []byte(rest), depth-1)
			}
			decoded(out, []byte(v), depth-1)
		case []any:
			for _, x := range v {
				walk(x)
			}
		case map[string]any:
			for k, x := range v {
				walk(k)
				walk(x)
			}
		}
	}
	walk(v)
}

func TestLeaks(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, revision string) {
		for _, l := range leaks(t, rand.New(rand.NewPCG(1, 2)), revision, "", 10) { //nolint:gosec // made to be repeated
			t.Error(l)
		}
	})
}

// With masking switched off in one tool the suite sees it.
func TestLeaks_Seen(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"echo", "list_secrets", "describe_secret"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := leaks(t, rand.New(rand.NewPCG(1, 2)), withoutThem, name, 10) //nolint:gosec // made to be repeated
			if len(found) == 0 {
				t.Error("nothing was seen, although masking was off")
			}
			if name == "echo" {
				for _, way := range []string{"lines", "keys", "text", "nested", "error", "platform", "denied"} {
					if !slices.ContainsFunc(found, func(l string) bool { return strings.HasPrefix(l, "echo "+way) }) {
						t.Errorf("a leak by way of %q was not seen", way)
					}
				}
			}
		})
	}
}

// FuzzLeaks is the suite with values of every run's own.
func FuzzLeaks(f *testing.F) {
	f.Add(uint64(7))
	f.Fuzz(func(t *testing.T, seed uint64) {
		for _, l := range leaks(t, rand.New(rand.NewPCG(seed, 1)), withoutThem, "", 20) { //nolint:gosec // made to be repeated
			t.Error(l)
		}
	})
}
