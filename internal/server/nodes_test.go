package server_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/hashicorp/vault/api"

	"github.com/ArcadeLabsInc/zvault/internal/server"
	"github.com/ArcadeLabsInc/zvault/internal/server/servertest"
	"github.com/ArcadeLabsInc/zvault/internal/testpg"
)

// nodes starts servers that share one PostgreSQL database.
func nodes(t *testing.T, url string, n int) []*servertest.Server {
	t.Helper()
	key := func(name string) string {
		if name == "ZVAULT_UNSEAL_KEY" {
			return "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
		}
		return ""
	}
	all := make([]*servertest.Server, n)
	for i := range all {
		all[i] = servertest.Open(t, server.Config{Database: url, Getenv: key})
		if i > 0 {
			if all[i].Token != "" {
				t.Fatal("a second node made a root token")
			}
			all[i].Token = all[0].Token
		}
	}
	return all
}

// TestNodes_Coherent requires that what one node has acknowledged every other knows at its next request: a new version, a
// changed policy, a revoked token.
func TestNodes_Coherent(t *testing.T) {
	t.Parallel()
	all := nodes(t, testpg.URL(t), 3)
	a, b, c := client(t, all[0], all[0].Token), client(t, all[1], all[0].Token), client(t, all[2], all[0].Token)
	if err := a.Sys().Mount("kv", &api.MountInput{Type: "kv-v2"}); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		must(a.KVv2("kv").Put(t.Context(), "x", map[string]any{"n": strconv.Itoa(i)}))(t)
		for _, other := range []*api.Client{b, c} {
			if got := must(other.KVv2("kv").Get(t.Context(), "x"))(t); got.Data["n"] != strconv.Itoa(i) {
				t.Fatalf("round %d: another node answers %v", i, got.Data["n"])
			}
		}
		a, b, c = b, c, a
	}
	if err := a.Sys().PutPolicy("p", `path "kv/data/x" { capabilities = ["read"] }`); err != nil {
		t.Fatal(err)
	}
	made := must(b.Auth().Token().Create(&api.TokenCreateRequest{Policies: []string{"p"}}))(t)
	reader := client(t, all[2], made.Auth.ClientToken)
	must(reader.KVv2("kv").Get(t.Context(), "x"))(t)
	if err := b.Sys().PutPolicy("p", `path "kv/data/x" { capabilities = ["deny"] }`); err != nil {
		t.Fatal(err)
	}
	if _, err := reader.Logical().Read("kv/data/x"); status(err) != http.StatusForbidden {
		t.Errorf("a policy that another node has changed still counts: %v", err)
	}
	must(reader.Auth().Token().LookupSelf())(t)
	if err := a.Auth().Token().RevokeAccessor(made.Auth.Accessor); err != nil {
		t.Fatal(err)
	}
	for i, s := range all {
		if _, err := client(t, s, made.Auth.ClientToken).Auth().Token().LookupSelf(); status(err) != http.StatusForbidden {
			t.Errorf("node %d accepts a token that was revoked: %v", i, err)
		}
	}
}

// register is the model of one key: what was written last is what is read.
var register = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		byKey := map[string][]porcupine.Operation{}
		for _, op := range history {
			in, _ := op.Input.(input)
			byKey[in.key] = append(byKey[in.key], op)
		}
		var parts [][]porcupine.Operation
		for _, p := range byKey {
			parts = append(parts, p)
		}
		return parts
	},
	Init: func() any { return "" },
	Step: func(state, in, out any) (bool, any) {
		i, _ := in.(input)
		o, _ := out.(output)
		switch {
		case i.write: // one whose outcome is unknown is taken to happen, some time before the end of the world
			return true, i.value
		}
		return o.unknown || o.value == state, state
	},
}

type input struct {
	key, value string
	write      bool
}

type output struct {
	value   string
	unknown bool
}

// TestNodes_Linearizable lets clients of three nodes read and write a few keys while PostgreSQL is killed and started again, and
// requires a history as if there were one copy: nothing acknowledged is lost, nothing old is read after something new.
func TestNodes_Linearizable(t *testing.T) {
	t.Parallel()
	pg := testpg.Start(t)
	all := nodes(t, pg.URL(), 3)
	if err := client(t, all[0], all[0].Token).Sys().Mount("kv", &api.MountInput{Type: "kv-v2"}); err != nil {
		t.Fatal(err)
	}
	const clients, rounds, keys = 6, 60, 3
	start := time.Now()
	var mu sync.Mutex
	var history []porcupine.Operation
	half, again := make(chan struct{}), make(chan struct{})
	var once sync.Once
	var wait sync.WaitGroup
	for id := range clients {
		c := client(t, all[id%len(all)], all[0].Token)
		r := rand.New(rand.NewPCG(1, uint64(id))) //nolint:gosec // a seed
		wait.Go(func() {
			for round := range rounds {
				if round == rounds/2 {
					once.Do(func() { close(half) })
				}
				in := input{key: fmt.Sprint("k", r.IntN(keys)), write: r.IntN(3) == 0, value: fmt.Sprint(id, "-", round)}
				op := porcupine.Operation{ClientId: id, Input: in, Call: int64(time.Since(start))}
				out := perform(t, c, in)
				op.Output, op.Return = out, int64(time.Since(start))
				if out.unknown {
					op.Return = int64(time.Hour) // it may take effect at any time after its call
					once.Do(func() { close(half) })
					<-again
				}
				if out.unknown && !in.write {
					continue
				}
				mu.Lock()
				history = append(history, op)
				mu.Unlock()
			}
		})
	}
	<-half
	pg.Kill()
	pg.Start()
	close(again)
	wait.Wait()
	acknowledged := 0
	for _, op := range history {
		if o, _ := op.Output.(output); !o.unknown {
			acknowledged++
		}
	}
	if acknowledged < clients*rounds*3/4 {
		t.Errorf("only %d of %d requests were answered", acknowledged, clients*rounds)
	}
	for _, part := range register.Partition(history) {
		if result := porcupine.CheckOperationsTimeout(register, part, 30*time.Second); result != porcupine.Ok {
			t.Errorf("the history of a key is not linearizable: %v", result)
			for _, op := range part {
				t.Logf("client %d: %v to %v: %+v %+v", op.ClientId, time.Duration(op.Call), time.Duration(op.Return), op.Input, op.Output)
			}
		}
	}
}

// perform does one request. A write whose outcome the client cannot know is marked.
func perform(t *testing.T, c *api.Client, in input) output {
	if in.write {
		_, err := c.KVv2("kv").Put(t.Context(), in.key, map[string]any{"v": in.value})
		if err != nil && status(err) != http.StatusServiceUnavailable {
			t.Errorf("a write: %v", err)
		}
		return output{unknown: err != nil}
	}
	got, err := c.KVv2("kv").Get(t.Context(), in.key)
	if errors.Is(err, api.ErrSecretNotFound) {
		return output{}
	}
	if err != nil {
		if status(err) != http.StatusServiceUnavailable {
			t.Errorf("a read: %v", err)
		}
		return output{unknown: true}
	}
	v, _ := got.Data["v"].(string)
	return output{value: v}
}
