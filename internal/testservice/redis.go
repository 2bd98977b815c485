package testservice

import (
	"context"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/redis/go-redis/v9"
)

// Redis starts a Redis that wants a password. The user is "default" and may do everything.
func Redis(t testing.TB) *Server {
	t.Helper()
	path := program(t, "redis-server", "/usr/bin/redis-server", "/opt/homebrew/bin/redis-server")
	dir := folder(t)
	s := &Server{Host: "127.0.0.1", Port: freePort(t), User: "default", Password: "re/Pass:w0rd@" + filepath.Base(dir)}
	config := write(t, dir, "redis.conf", "bind 127.0.0.1", "port "+strconv.Itoa(s.Port), "requirepass "+s.Password, `save ""`,
		"appendonly no", "dir "+dir)
	start(t, dir, exec.Command(path, config), func(ctx context.Context) error {
		client := redis.NewClient(&redis.Options{Addr: s.Address(), Password: s.Password, MaxRetries: -1})
		defer func() { _ = client.Close() }()
		return client.Ping(ctx).Err()
	})
	return s
}
