package sandbox_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// attacks are run twice: without the sandbox, where each must come through, and in it, where none may.
func attacks() []attack {
	file := func(name string) func(*testing.T, *scene) []string {
		return func(_ *testing.T, s *scene) []string { return s.attack("read", filepath.Join(s.home, name)) }
	}
	return []attack{
		{name: "vault by path", command: file(".zvault/key")},
		{name: "vault deeper", command: file(".zvault/db/vault.db")},
		{name: "aws credentials", command: file(".aws/credentials")},
		{name: "ssh key", command: file(".ssh/id_ed25519")},
		{name: "netrc", command: file(".netrc")},
		{name: "gh token", command: file(".config/gh/hosts.yml")},
		{name: "docker login", command: file(".docker/config.json")},
		{name: "shell history", command: file(".bash_history")},
		{name: "env file", command: file("src/project/.env"), onlyNamespaces: true},
		{name: "env file deeper", command: file("src/project/sub/deep/.env.local"), onlyNamespaces: true},
		{name: "vault by dots", command: func(_ *testing.T, s *scene) []string { return s.attack("read", "../../.zvault/key") }},
		{name: "vault by symlink", command: func(t *testing.T, s *scene) []string {
			must(t, os.Symlink("../../.zvault", filepath.Join(s.project, "harmless")))
			return s.attack("read", "harmless/key")
		}},
		{name: "env file by symlink", command: func(t *testing.T, s *scene) []string {
			must(t, os.Symlink(".env", filepath.Join(s.project, "harmless")))
			return s.attack("read", "harmless")
		}, onlyNamespaces: true},
		{name: "env file that is a symlink", command: func(t *testing.T, s *scene) []string {
			target := s.put(t, "src/other/production-settings")
			must(t, os.Symlink(target, filepath.Join(s.project, ".env.production")))
			return s.attack("read", target)
		}, onlyNamespaces: true},
		{name: "vault by new hard link", command: func(_ *testing.T, s *scene) []string {
			return s.attack("link", filepath.Join(s.vault, "key"), filepath.Join(s.project, "harmless"))
		}},
		{name: "env file by new hard link", command: func(_ *testing.T, s *scene) []string { return s.attack("link", ".env", "harmless") }, onlyNamespaces: true},
		{name: "env file by old hard link", command: func(t *testing.T, s *scene) []string {
			must(t, os.Link(filepath.Join(s.project, ".env"), filepath.Join(s.project, "sub", "harmless")))
			return s.attack("read", "sub/harmless")
		}, onlyNamespaces: true},
		{name: "env file renamed", command: func(_ *testing.T, s *scene) []string { return s.attack("rename", ".env", "harmless") }, onlyNamespaces: true},
		{name: "folder of env file renamed", command: func(_ *testing.T, s *scene) []string {
			return s.attack("shell", "mv sub other 2>/dev/null; cat other/deep/.env.local")
		}, onlyNamespaces: true},
		{name: "uncover by unmounting", command: func(_ *testing.T, s *scene) []string { return s.attack("unmount", filepath.Join(s.vault, "key")) }},
		{name: "by /proc/self/root", command: func(_ *testing.T, s *scene) []string {
			return s.attack("read", "/proc/self/root"+filepath.Join(s.vault, "key"))
		}},
		{name: "by roots of other processes", command: withVictim(func(s *scene) []string { return s.attack("procroot", filepath.Join(s.vault, "key")) })},
		{name: "by file handle", command: func(_ *testing.T, s *scene) []string { return s.attack("handle", filepath.Join(s.vault, "key")) }, needs: needsRoot},
		{name: "environments", command: withVictim(func(s *scene) []string { return s.attack("environ") })},
		{name: "memory file", command: withVictim(func(s *scene) []string { return s.attack("mem", s.victim) })},
		{name: "process_vm_readv", command: withVictim(func(s *scene) []string { return s.attack("vmread", s.victim) })},
		{name: "ptrace", command: withVictim(func(s *scene) []string { return s.attack("trace", s.victim) })},
		{name: "open files of others", command: withVictim(func(s *scene) []string { return s.attack("fds", s.victimFile) })},
		{name: "pidfd_getfd", command: withVictim(func(s *scene) []string { return s.attack("pidfd", s.victim) })},
		{name: "signal", command: withVictim(func(s *scene) []string { return s.attack("signal", s.victim) })},
		{name: "shared memory", command: withVictim(func(s *scene) []string { return s.attack("shm", s.shm) })},
		{name: "inherited file", command: inheritedFile},
		{name: "loopback service", command: func(t *testing.T, s *scene) []string { return s.attack("tcp", s.serve(t, "tcp", "127.0.0.1:0")) }},
		{name: "service on another address", command: func(t *testing.T, s *scene) []string { return s.attack("tcp", s.serve(t, "tcp", ownAddress(t)+":0")) }},
		{name: "udp, as dns is", command: func(t *testing.T, s *scene) []string { return s.attack("udp", s.serveUDP(t)) }},
		{name: "abstract socket", command: func(t *testing.T, s *scene) []string {
			return s.attack("unix", s.serve(t, "unix", "@"+filepath.Base(s.home)+strconv.Itoa(os.Getpid())))
		}},
		{name: "agent socket in home", command: func(t *testing.T, s *scene) []string {
			return s.attack("unix", s.serve(t, "unix", short(t, s, "agent")))
		}},
		{name: "agent socket in project", command: func(t *testing.T, s *scene) []string {
			return s.attack("unix", s.serve(t, "unix", short(t, s, "src/project/a")))
		}},
		{name: "agent socket in /tmp", command: func(t *testing.T, s *scene) []string {
			d, err := os.MkdirTemp("/tmp", "a")
			must(t, err)
			t.Cleanup(func() { must(t, os.RemoveAll(d)) })
			return s.attack("unix", s.serve(t, "unix", filepath.Join(d, "s")))
		}},
		{name: "pair of sockets turned round", command: func(t *testing.T, s *scene) []string {
			p := short(t, s, "log")
			c, err := net.ListenPacket("unixgram", p)
			must(t, err)
			t.Cleanup(func() { _ = c.Close() })
			return s.attack("dgram-pair", p)
		}},
		{name: "core dump", command: func(_ *testing.T, s *scene) []string { return s.attack("core") }},
		{name: "own namespaces", command: func(_ *testing.T, s *scene) []string { return s.attack("namespace") }, needs: needsNamespaces},
		{name: "unshare", command: func(_ *testing.T, s *scene) []string { return s.attack("thread-ns") }, needs: needsNamespaces},
		{name: "setuid program", command: setuidProgram, needs: needsOtherUsers},
		{name: "kernel keyring", command: func(_ *testing.T, s *scene) []string { return s.attack("key") }},
		{name: "io_uring", command: func(_ *testing.T, s *scene) []string { return s.attack("io_uring") }},
		{name: "x32 numbering", command: func(_ *testing.T, s *scene) []string { return s.attack("execve32") }},
		{name: "write to the shell's start file", command: func(_ *testing.T, s *scene) []string {
			return s.attack("write", filepath.Join(s.home, ".bashrc"))
		}},
		{name: "write beside the project", command: func(_ *testing.T, s *scene) []string {
			return s.attack("write", filepath.Join(s.home, "src", "other", "notes"))
		}},
		{name: "kernel's log device", command: func(_ *testing.T, s *scene) []string { return s.attack("device", "/dev/kmsg") }, needs: needsRoot},
		{name: "terminal of another program", command: func(t *testing.T, s *scene) []string {
			master, other, err := pty.Open()
			must(t, err)
			t.Cleanup(func() { must(t, master.Close()); must(t, other.Close()) })
			return s.attack("write", other.Name())
		}},
		{name: "settings of the kernel", command: func(_ *testing.T, s *scene) []string {
			return s.attack("write", "/proc/sys/kernel/core_pattern")
		}, needs: needsRoot},
		{name: "through a grandchild", command: func(_ *testing.T, s *scene) []string {
			return s.attack("shell", "sh -c '(cat "+s.vault+"/key) & wait'")
		}},
	}
}

func withVictim(command func(*scene) []string) func(*testing.T, *scene) []string {
	return func(t *testing.T, s *scene) []string {
		s.startVictim(t)
		return command(s)
	}
}

// inheritedFile leaves a secret file open in this process, as a careless parent would.
func inheritedFile(t *testing.T, s *scene) []string {
	fd, err := unix.Open(filepath.Join(s.vault, "key"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	must(t, err)
	leaked, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD, 200)
	must(t, err)
	t.Cleanup(func() { must(t, unix.Close(leaked)); must(t, unix.Close(fd)) })
	return s.attack("own-fds")
}

// short returns a path below home if it is short enough for a socket, else a link to it in a short place would be needed;
// homes of tests are.
func short(t *testing.T, s *scene, name string) string {
	t.Helper()
	p := filepath.Join(s.home, name)
	if len(p) > 107 {
		t.Fatalf("path %q is too long for a socket", p)
	}
	return p
}

// ownAddress returns an address of this machine beside loopback; without one, a second one of loopback.
func ownAddress(t *testing.T) string {
	t.Helper()
	addresses, err := net.InterfaceAddrs()
	must(t, err)
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && !n.IP.IsLoopback() {
			return n.IP.String()
		}
	}
	return "127.0.0.2"
}

// setuidProgram returns an attack with a program that runs as another user. Root makes one of nobody's; others use one of
// the system's.
func setuidProgram(t *testing.T, s *scene) []string {
	if os.Getuid() != 0 {
		for _, name := range []string{"su", "sudo", "passwd", "mount"} {
			p, err := exec.LookPath(name)
			if info, errStat := os.Stat(p); err == nil && errStat == nil && info.Mode()&os.ModeSetuid != 0 {
				return s.attack("setuid", p)
			}
		}
		t.Fatal("no setuid program found")
	}
	cat, err := exec.LookPath("cat")
	must(t, err)
	text, err := os.ReadFile(cat)
	must(t, err)
	p := filepath.Join(s.project, "as-nobody")
	must(t, os.WriteFile(p, text, 0o755))
	must(t, os.Chown(p, 65534, 65534))
	must(t, os.Chmod(p, 0o755|os.ModeSetuid))
	for d := s.home; d != "/tmp" && d != "/"; d = filepath.Dir(d) {
		must(t, os.Chmod(d, 0o755))
	}
	return s.attack("setuid", p)
}
