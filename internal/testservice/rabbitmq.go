package testservice

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// RabbitMQ starts a RabbitMQ with its management API, whose port is the Server's. The user is an administrator.
func RabbitMQ(t testing.TB) *Server {
	t.Helper()
	program(t, "rabbitmq-server", "/usr/lib/rabbitmq/bin/rabbitmq-server")
	epmd := program(t, "erlang-base", "/usr/lib/erlang/erts-*/bin/epmd")
	dir := folder(t)
	s := &Server{Host: "127.0.0.1", Port: freePort(t), User: "rabbit", Password: "rb/Pass:w0rd@" + filepath.Base(dir)}
	names := strconv.Itoa(freePort(t))
	plugins := write(t, dir, "enabled_plugins", "[rabbitmq_management].")
	config := write(t, dir, "rabbitmq.conf", "listeners.tcp.1 = 127.0.0.1:"+strconv.Itoa(freePort(t)),
		"management.tcp.ip = 127.0.0.1", "management.tcp.port = "+strconv.Itoa(s.Port), "default_user = "+s.User,
		"default_pass = "+s.Password, "loopback_users = none", "collect_statistics_interval = 500")
	env := append(os.Environ(), "HOME="+dir, "ERL_EPMD_PORT="+names, "ERL_EPMD_ADDRESS=127.0.0.1",
		"RABBITMQ_NODENAME=t"+names+"@localhost", "RABBITMQ_DIST_PORT="+strconv.Itoa(freePort(t)), "RABBITMQ_MNESIA_BASE="+dir,
		"RABBITMQ_LOG_BASE="+dir, "RABBITMQ_CONFIG_FILE="+config, "RABBITMQ_ENABLED_PLUGINS_FILE="+plugins,
		"RABBITMQ_CONF_ENV_FILE="+filepath.Join(dir, "none"), "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=+S 1:1 +sbwt none")
	mapper := exec.Command(epmd, "-port", names, "-address", "127.0.0.1") // or the server would leave one behind
	mapper.Env = env
	start(t, dir, mapper, func(context.Context) error { return nil })
	server := exec.Command("/usr/lib/rabbitmq/bin/rabbitmq-server")
	server.Env = env
	start(t, dir, server, s.rabbitReady)
	return s
}

func (s *Server) rabbitReady(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Address()+"/api/overview", nil)
	if err != nil {
		return err
	}
	request.SetBasicAuth(s.User, s.Password)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	return nil
}
