package redis_test

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"

	client "github.com/redis/go-redis/v9"

	"github.com/ArcadeLabsInc/zvault/internal/broker"
	"github.com/ArcadeLabsInc/zvault/internal/broker/brokertest"
	"github.com/ArcadeLabsInc/zvault/internal/broker/redis"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
	"github.com/ArcadeLabsInc/zvault/internal/testservice"
)

func start(t *testing.T) (*testservice.Server, *brokertest.Broker) {
	t.Helper()
	s := testservice.Redis(t)
	return s, brokertest.Start(t, broker.Login{Secret: "REDIS_URL", Address: s.Address(), Password: secret.Of(s.Password)}, redis.Handle)
}

func TestHandle(t *testing.T) {
	t.Parallel()
	s, b := start(t)
	for _, protocol := range []int{2, 3} { // AUTH, and HELLO 3 AUTH
		c := client.NewClient(&client.Options{Addr: b.Address(), Password: brokertest.Local, Protocol: protocol, MaxRetries: -1})
		if err := c.Set(t.Context(), "key", strings.Repeat("v", 100_000), 0).Err(); err != nil {
			t.Fatalf("protocol %d: %v; %v", protocol, err, b.Failures(0))
		}
		pipe := c.Pipeline()
		for range 1000 {
			pipe.Get(t.Context(), "key")
		}
		all, err := pipe.Exec(t.Context())
		if err != nil || len(all) != 1000 {
			t.Errorf("protocol %d: a pipeline of 1000: %d answers, %v", protocol, len(all), err)
		}
		// The server shows its password to whoever may ask for it; the broker does not.
		got, err := c.ConfigGet(t.Context(), "requirepass").Result()
		if want := strings.Repeat("*", len(s.Password)); err != nil || got["requirepass"] != want {
			t.Errorf("protocol %d: requirepass reads %q, %v", protocol, got["requirepass"], err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	out, err := exec.Command("redis-cli", "-u", "redis://:"+brokertest.Local+"@"+b.Address(), "--no-auth-warning", "PING").CombinedOutput()
	if got := strings.TrimSpace(string(out)); err != nil || got != "PONG" {
		t.Errorf("redis-cli prints %q, %v", got, err)
	}
}

func TestHandle_Refused(t *testing.T) {
	t.Parallel()
	s, b := start(t)
	for name, password := range map[string]string{"guessed": "guess", "none": "", "real": s.Password} {
		c := client.NewClient(&client.Options{Addr: b.Address(), Password: password, MaxRetries: -1})
		if err := c.Ping(context.Background()).Err(); err == nil {
			t.Errorf("a login with the %s password is let in", name)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	_, b = start(t)
	b.Deny()
	c := client.NewClient(&client.Options{Addr: b.Address(), Password: brokertest.Local, MaxRetries: -1})
	defer func() { _ = c.Close() }()
	if err := c.Ping(t.Context()).Err(); err == nil {
		t.Error("a denied login is let in")
	}
	if f := b.Failures(1); !errors.Is(f[0], brokertest.ErrDenied) {
		t.Errorf("failures: %v", f)
	}
}
