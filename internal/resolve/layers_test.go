package resolve_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ArcadeLabsInc/zvault/internal/resolve"
)

// The highest layer that holds a name gives it its value, whichever layers lie between.
func TestAll_HighestLayerWins(t *testing.T) {
	t.Parallel()
	kinds := []resolve.Kind{resolve.Base, resolve.Environment, resolve.Personal, resolve.File, resolve.Process}
	for set := 1; set < 1<<len(kinds); set++ {
		src := scoped("app/development")
		var over []resolve.Layer
		want := ""
		for i, k := range kinds {
			l := layer(k, "OTHER_"+string(k)+"=x")
			if set&(1<<i) != 0 {
				l = layer(k, "KEY=of "+string(k))
				want = "KEY=of " + string(k) + "[" + string(k) + "]"
			}
			if k == resolve.File || k == resolve.Process {
				over = append(over, l)
			} else {
				src.scopes[app] = append(src.scopes[app], l)
			}
		}
		got, err := resolve.All(t.Context(), src, app, func(name string) bool { return name == "KEY" }, over...)
		must(t, err)
		if show(got) != want {
			t.Errorf("set in layers %05b: %s; want %s", set, show(got), want)
		}
	}
}

// Of several environments that are inherited from, the nearest wins.
func TestAll_NearestBaseWins(t *testing.T) {
	t.Parallel()
	src := scoped("app/development", layer(resolve.Base, "A=far", "B=far"), layer(resolve.Base, "A=near"), layer(resolve.Environment, "C=own"))
	got, err := resolve.All(t.Context(), src, app, nil)
	must(t, err)
	if want := "A=near[base] B=far[base] C=own[environment]"; show(got) != want {
		t.Errorf("%s; want %s", show(got), want)
	}
}

// An inherited value refers to what holds in the environment that inherits it.
func TestAll_BaseRefersUpwards(t *testing.T) {
	t.Parallel()
	src := scoped("app/development", layer(resolve.Base, "URL=http://${zvault://HOST}/", "HOST=base.example"),
		layer(resolve.Environment, "HOST=dev.example"), layer(resolve.Personal, "HOST=mine.example"))
	got, err := resolve.Names(t.Context(), src, app, []string{"URL"})
	must(t, err)
	if want := "URL=http://mine.example/[base]"; show(got) != want {
		t.Errorf("%s; want %s", show(got), want)
	}
}

// Another project's personal overrides count in references to it; what lies on top of this project's layers does not.
func TestAll_OtherProjects(t *testing.T) {
	t.Parallel()
	src := scoped(
		"app/development", layer(resolve.Environment, "DB=zvault://shared/URL"),
		"shared/development", layer(resolve.Base, "URL=base", "NAME=n"), layer(resolve.Environment, "URL=${zvault://NAME}@env"), layer(resolve.Personal, "NAME=mine"),
	)
	over := []resolve.Layer{layer(resolve.File, "URL=file", "NAME=file"), layer(resolve.Process, "URL=process", "NAME=process")}
	got, err := resolve.Names(t.Context(), src, app, []string{"DB"}, over...)
	must(t, err)
	if want := "DB=mine@env[environment]"; show(got) != want {
		t.Errorf("%s; want %s", show(got), want)
	}
	shared := scope("shared/development")
	if diff := cmp.Diff([]resolve.Use{{Scope: shared, Name: "URL"}, {Scope: shared, Name: "NAME"}}, got[0].Uses); diff != "" {
		t.Errorf("uses: %s", diff)
	}
}

// A file's KEY=zvault://KEY means the vault's KEY, not itself, and so does a variable of the process.
func TestAll_UpperLayersReferDown(t *testing.T) {
	t.Parallel()
	src := scoped("app/development", layer(resolve.Environment, "KEY=v", "A=zvault://KEY"))
	file := layer(resolve.File, "KEY=zvault://app/KEY", "B=zvault://A")
	for want, over := range map[string][]resolve.Layer{
		"A=v[environment] B=v[file] KEY=v[file]":       {file},
		"A=v[environment] B=v[file] KEY=<v>[process]":  {file, layer(resolve.Process, "KEY=<${zvault://KEY}>")},
		"A=v[environment] B=v[file] KEY=text[process]": {file, layer(resolve.Process, "KEY=text")},
	} {
		got, err := resolve.All(t.Context(), src, app, nil, over...)
		must(t, err)
		if show(got) != want {
			t.Errorf("%s; want %s", show(got), want)
		}
	}
	// What only the file holds cannot be referred to.
	_, err := resolve.Names(t.Context(), src, app, []string{"X"}, layer(resolve.File, "X=zvault://Y", "Y=1"))
	if got := problems(t, err)["X"]; !strings.Contains(got, "refers to Y, which is not set in app/development") {
		t.Errorf("a reference to another entry of the file: %q", got)
	}
}

func TestNames_OrderAndMissing(t *testing.T) {
	t.Parallel()
	src := scoped("app/development", layer(resolve.Environment, "A=1", "B=2", "C=zvault://NONE"))
	got, err := resolve.Names(t.Context(), src, app, []string{"B", "A", "B"})
	must(t, err)
	if want := "B=2[environment] A=1[environment] B=2[environment]"; show(got) != want {
		t.Errorf("%s; want %s", show(got), want)
	}
	got, err = resolve.Names(t.Context(), src, app, []string{"B", "X", "C", "a"})
	want := map[string]string{
		"X": "not set in app/development", "a": "not set in app/development", "C": "refers to NONE, which is not set in app/development",
	}
	if diff := cmp.Diff(want, problems(t, err)); diff != "" || got != nil {
		t.Errorf("with %d values: %s", len(got), diff)
	}
	for name := range want {
		if !strings.Contains(err.Error(), name+": ") {
			t.Errorf("the error does not name %s: %v", name, err)
		}
	}
	if _, err := resolve.All(t.Context(), src, scope("app/none"), nil); !errors.Is(err, resolve.ErrNotFound) {
		t.Errorf("an environment that there is not: %v", err)
	}
}

// A failure to read is an error of its own and no missing reference.
func TestAll_SourceFails(t *testing.T) {
	t.Parallel()
	down := errors.New("the disk is gone")
	for name, value := range map[string]string{"layers": "zvault://far/X", "a version": "zvault://far/X?version=2"} {
		src := scoped("app/development", layer(resolve.Environment, "A="+value))
		src.fails[scope("far/development")] = down
		_, err := resolve.All(t.Context(), src, app, nil)
		var broken *resolve.Error
		if !errors.Is(err, down) || errors.As(err, &broken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	src := scoped("app/development")
	src.fails[app] = down
	if _, err := resolve.Explain(t.Context(), src, app, "A"); !errors.Is(err, down) {
		t.Errorf("explaining: %v", err)
	}
}

// Each scope is read once, however many values refer to it.
func TestAll_ReadsOnce(t *testing.T) {
	t.Parallel()
	far := scope("far/development")
	src := scoped("app/development", layer(resolve.Environment, "A=zvault://far/X", "B=${zvault://far/X}${zvault://far/Y}"),
		"far/development", layer(resolve.Environment, "X=1", "Y=2"))
	got, err := resolve.All(t.Context(), src, app, nil)
	must(t, err)
	if show(got) != "A=1[environment] B=12[environment]" || src.reads[far] != 1 || src.reads[app] != 1 {
		t.Errorf("%s, read %v", show(got), src.reads)
	}
}
