package sandbox_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/sandbox"
)

// lacksVar names the layers, with commas between, that the surroundings of this test run lack on purpose.
const lacksVar = "SANDBOX_TEST_LACKS"

func lacks() []string {
	if v := os.Getenv(lacksVar); v != "" {
		return strings.Split(v, ",")
	}
	return nil
}

// attack is one way to get at what is not the program's.
type attack struct {
	name    string
	command func(*testing.T, *scene) []string
	// onlyNamespaces marks what Landlock and seccomp alone do not prevent, as the report then says.
	onlyNamespaces bool
	// needs says what the control takes.
	needs need
}

type need int

const (
	needsNothing need = iota
	needsNamespaces
	needsOtherUsers
	needsRoot
)

// possible reports whether the attack would come through here without the sandbox. What is impossible for anyone who runs
// as we do is tried by the runs that can: as root, as nobody, with all layers.
func (a attack) possible(t *testing.T) bool {
	t.Helper()
	text, err := os.ReadFile("/proc/self/uid_map")
	must(t, err)
	f := strings.Fields(string(text))
	alone := len(f) == 3 && f[2] == "1"
	switch a.needs {
	case needsNamespaces:
		return !slices.Contains(lacks(), sandbox.LayerUser)
	case needsOtherUsers:
		return !alone
	case needsRoot:
		return !alone && os.Getuid() == 0
	case needsNothing:
	}
	return true
}

// TestProbe says whether the system offers what this run counts on.
func TestProbe(t *testing.T) {
	r := sandbox.Probe()
	if got := r.Missing(); !slices.Equal(got, lacks()) {
		t.Errorf("missing are %q, want %q\n%s", got, lacks(), r)
	}
	if r.Complete() != (len(lacks()) == 0) || (len(r.Open) == 0) != r.Complete() {
		t.Errorf("complete is %v, open is %q", r.Complete(), r.Open)
	}
	for _, l := range r.Layers {
		if !l.On && (l.Detail == "" || !strings.Contains(r.String(), "OFF  "+l.Name)) {
			t.Errorf("the report does not say why %s is off:\n%s", l.Name, r)
		}
	}
}

func TestCommand_Require(t *testing.T) {
	s := newScene(t)
	o := s.options
	o.Require = sandbox.All
	c, r, err := sandbox.Command(t.Context(), []string{"true"}, s.env(), o)
	if want := lacks(); len(want) > 0 {
		if !errors.Is(err, sandbox.ErrIncomplete) || c != nil || !slices.Equal(r.Missing(), want) {
			t.Fatalf("got %v, %v", c, err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := runCommand(t, c); got.problem != nil || got.status != (sandbox.Status{}) {
		t.Errorf("ended with %+v", got)
	}
}

// TestCommand_Attacks runs each attack twice: in the sandbox, where it must fail, and without, where it must come through.
func TestCommand_Attacks(t *testing.T) {
	missing := sandbox.Probe().Missing()
	if !slices.Equal(missing, lacks()) {
		t.Fatalf("this system lacks %q", missing)
	}
	none := slices.Contains(missing, sandbox.LayerMount)
	for _, a := range attacks() {
		if none && a.onlyNamespaces || !a.possible(t) {
			continue
		}
		t.Run(a.name, func(t *testing.T) {
			s := newScene(t)
			argv := a.command(t, s)
			got := s.inside(t, argv...)
			if strings.Contains(got.out, s.secret) || strings.Contains(got.out, token) {
				t.Errorf("came through the sandbox: it printed %q", got.out)
			}
			if got.problem != nil || got.status.Signal != 0 {
				t.Errorf("the attack did not run: %v, %+v", got.problem, got.status)
			}
			if out := s.outside(t, argv...); !strings.Contains(out, s.secret) && !strings.Contains(out, token) {
				t.Errorf("fails without the sandbox too, and shows nothing: %s", out)
			}
		})
	}
}

func TestCommand_Refuses(t *testing.T) {
	s := newScene(t)
	with := func(change func(*sandbox.Options)) sandbox.Options {
		o := s.options
		change(&o)
		return o
	}
	for name, o := range map[string]sandbox.Options{
		"relative dir":  with(func(o *sandbox.Options) { o.Dir = "x" }),
		"relative hide": with(func(o *sandbox.Options) { o.Hide = []string{"x"} }),
		"hidden root":   with(func(o *sandbox.Options) { o.Hide = []string{"/"} }),
		"bad pattern":   with(func(o *sandbox.Options) { o.HideFiles = []string{"["} }),
		"no port":       with(func(o *sandbox.Options) { o.Forward = []sandbox.Forward{{Socket: "/x"}} }),
		"no target":     with(func(o *sandbox.Options) { o.Forward = []sandbox.Forward{{Port: 1}} }),
		"two targets":   with(func(o *sandbox.Options) { o.Forward = []sandbox.Forward{{Port: 1, Socket: "/x", Address: "a:1"}} }),
		"no host":       with(func(o *sandbox.Options) { o.Forward = []sandbox.Forward{{Port: 1, Address: "a"}} }),
		"port twice": with(func(o *sandbox.Options) {
			o.Forward = []sandbox.Forward{{Port: 1, Address: "a:1"}, {Port: 1, Address: "b:1"}}
		}),
		"dir that isn't": with(func(o *sandbox.Options) { o.Dir = s.home + "/none" }),
	} {
		if _, _, err := sandbox.Command(t.Context(), []string{"true"}, s.env(), o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for _, argv := range [][]string{nil, {""}, {"no-such-program"}, {"/etc/passwd"}, {"./none"}} {
		if _, _, err := sandbox.Command(t.Context(), argv, s.env(), s.options); err == nil {
			t.Errorf("%q: no error", argv)
		}
	}
}

// A directory as a stream would lead out of all mounts.
func TestCommand_DirectoryAsStream(t *testing.T) {
	s := newScene(t)
	c, _, err := sandbox.Command(t.Context(), []string{"cat", "/proc/self/fd/0/.zvault/key"}, s.env(), s.options)
	must(t, err)
	c.Stdin, err = os.Open(s.home)
	must(t, err)
	got := runCommand(t, c)
	if got.problem == nil || strings.Contains(got.out, s.secret) || !strings.Contains(got.err, "is a directory") {
		t.Errorf("got %+v", got)
	}
}
