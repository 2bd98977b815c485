package resolve_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ArcadeLabsInc/zvault/internal/resolve"
)

func TestNames_References(t *testing.T) {
	t.Parallel()
	src := scoped(
		"app/development", layer(resolve.Environment, "HOST=h", "PORT=5432", "EMPTY=",
			"WHOLE=zvault://HOST", "INSIDE=postgres://${zvault://HOST}:${zvault://PORT}/x?h=${zvault://HOST}", "NEXT=[${zvault://INSIDE}]",
			"OF_EMPTY=<${zvault://EMPTY}>", "ESCAPED=$${zvault://HOST}", "ESCAPED_WHOLE=$zvault://HOST", "RAW!=zvault://HOST", "OF_RAW=${zvault://RAW}!",
			"FAR=zvault://shop/KEY", "FAR_ENV=zvault://shop/KEY?env=staging", "OWN_ENV=${zvault://HOST?env=prod}", "NEAR=zvault://shop/NEAR",
			"PAST=zvault://HOST?version=1", "PAST_REFERS=zvault://HOST?version=2", "PAST_FAR=<${zvault://shop/KEY?env=staging&version=7}>",
			"DOLLARS=$HOME ${HOME} $5 %s \\${zvault", "BOTH=$${zvault://HOST} is ${zvault://HOST}"),
		"app/production", layer(resolve.Environment, "HOST=prod.example"),
		"shop/development", layer(resolve.Environment, "KEY=shop dev", "NEAR=zvault://HOST", "HOST=shop's own"),
		"shop/staging", layer(resolve.Environment, "KEY=shop staging"),
	)
	src.versions["app/development/HOST@1"] = "first"
	src.versions["app/development/HOST@2"] = "second at ${zvault://PORT}"
	src.versions["shop/staging/KEY@7"] = "seventh"
	for name, want := range map[string]string{
		"WHOLE": "h", "INSIDE": "postgres://h:5432/x?h=h", "NEXT": "[postgres://h:5432/x?h=h]", "OF_EMPTY": "<>",
		"ESCAPED": "${zvault://HOST}", "ESCAPED_WHOLE": "zvault://HOST", "RAW": "zvault://HOST", "OF_RAW": "zvault://HOST!",
		"FAR": "shop dev", "FAR_ENV": "shop staging", "OWN_ENV": "prod.example", "NEAR": "shop's own",
		"PAST": "first", "PAST_REFERS": "second at 5432", "PAST_FAR": "<seventh>",
		"DOLLARS": "$HOME ${HOME} $5 %s \\${zvault", "BOTH": "${zvault://HOST} is h",
	} {
		got, err := resolve.Names(t.Context(), src, app, []string{name})
		if err != nil || string(got[0].Value.Reveal()) != want {
			t.Errorf("%s: %s, %v; want %s", name, show(got), err, want)
		}
	}
}

// Every reference that leads nowhere is named together with where it was looked for, and no value is.
func TestAll_Broken(t *testing.T) {
	t.Parallel()
	const hidden = "hunter2"
	src := scoped("app/development", layer(resolve.Environment,
		"NAME="+hidden+"${zvault://NONE}", "SCOPE="+hidden+"${zvault://shop/KEY}", "VERSION="+hidden+"${zvault://GOOD?version=9}", "ENGINE=zvault:///kv/data/x#y",
		"SYNTAX="+hidden+"${zvault://a b}", "OPEN="+hidden+"${zvault://GOOD", "THROUGH=zvault://NAME", "GOOD="+hidden))
	got, err := resolve.All(t.Context(), src, app, nil)
	all := problems(t, err)
	for name, want := range map[string]string{
		"NAME": "refers to NONE, which is not set in app/development", "SCOPE": "refers to shop/development: there is no environment",
		"VERSION": "refers to zvault://GOOD?version=9: GOOD has no version 9", "ENGINE": "refers to zvault:///kv/data/x#y, which needs a server",
		"SYNTAX": "malformed reference", "OPEN": "not closed", "THROUGH": "refers to NONE, which is not set in app/development",
	} {
		if !strings.Contains(all[name], want) {
			t.Errorf("%s: %q; want %q", name, all[name], want)
		}
	}
	if len(all) != 7 || got != nil || strings.Contains(err.Error(), hidden) {
		t.Errorf("%d problems and %d values, or the error holds a value", len(all), len(got))
	}
}

func TestAll_Cycles(t *testing.T) {
	t.Parallel()
	src := scoped(
		"app/development", layer(resolve.Environment, "SELF=x${zvault://SELF}", "A=zvault://B", "B=zvault://C", "C=${zvault://A}", "INTO=zvault://A",
			"FAR=zvault://shop/BACK", "OTHER_ENV=zvault://OTHER_ENV?env=staging", "PAST=zvault://PAST?version=1", "FINE=zvault://END", "END=1"),
		"app/staging", layer(resolve.Environment, "OTHER_ENV=no cycle"),
		"shop/development", layer(resolve.Environment, "BACK=zvault://app/FAR"),
	)
	src.versions["app/development/PAST@1"] = "${zvault://PAST?version=1}"
	_, err := resolve.All(t.Context(), src, app, nil, layer(resolve.File, "INTO_FILE=zvault://A"))
	want := map[string]string{
		"SELF":      "refers to itself: app/development/SELF -> app/development/SELF",
		"A":         "refers to itself: app/development/A -> app/development/B -> app/development/C -> app/development/A",
		"B":         "refers to itself: app/development/B -> app/development/C -> app/development/A -> app/development/B",
		"C":         "refers to itself: app/development/C -> app/development/A -> app/development/B -> app/development/C",
		"INTO":      "refers to itself: app/development/A -> app/development/B -> app/development/C -> app/development/A",
		"INTO_FILE": "refers to itself: app/development/A -> app/development/B -> app/development/C -> app/development/A",
		"FAR":       "refers to itself: app/development/FAR -> shop/development/BACK -> app/development/FAR",
		"PAST":      "refers to itself: app/development/PAST?version=1 -> app/development/PAST?version=1",
	}
	if diff := cmp.Diff(want, problems(t, err)); diff != "" {
		t.Error(diff)
	}
	got, err := resolve.Names(t.Context(), src, app, []string{"OTHER_ENV", "FINE"})
	if err != nil || show(got) != "OTHER_ENV=no cycle[environment] FINE=1[environment]" {
		t.Errorf("%s, %v", show(got), err)
	}
}

// chain is so many values that refer to the next, and one that does not. Name says how the n-th is called.
func chain(references int, name func(n int) string) resolve.Layer {
	var entries []string
	for i := range references {
		entries = append(entries, name(i)+"=zvault://"+name(i+1))
	}
	return layer(resolve.Environment, append(entries, name(references)+"=end")...)
}

// The limit is the same whichever names were looked up before.
func TestAll_Depth(t *testing.T) {
	t.Parallel()
	for order, name := range map[string]func(int) string{
		"first name first": func(n int) string { return fmt.Sprintf("K%03d", n) },
		"last name first":  func(n int) string { return fmt.Sprintf("K%03d", 999-n) },
	} {
		src := scoped("app/development", chain(resolve.MaxDepth, name))
		if got, err := resolve.All(t.Context(), src, app, nil); err != nil || len(got) != resolve.MaxDepth+1 {
			t.Errorf("%s, as deep as allowed: %d values, %v", order, len(got), err)
		}
		src = scoped("app/development", chain(resolve.MaxDepth+2, name))
		_, err := resolve.All(t.Context(), src, app, nil)
		all := problems(t, err)
		if len(all) != 2 || !strings.Contains(all[name(0)], "more than 32 references") || !strings.Contains(all[name(1)], "more than 32 references") {
			t.Errorf("%s, deeper: %v", order, all)
		}
	}
}

// Values that double at every step end at a limit before they fill the memory.
func TestAll_Size(t *testing.T) {
	t.Parallel()
	entries := []string{"K0=" + strings.Repeat("x", 1<<20)}
	for i := 1; i <= 30; i++ {
		entries = append(entries, fmt.Sprintf("K%d=${zvault://K%d}${zvault://K%d}", i, i-1, i-1))
	}
	src := scoped("app/development", layer(resolve.Environment, entries...))
	got, err := resolve.Names(t.Context(), src, app, []string{"K4"})
	if err != nil || got[0].Value.Len() != resolve.MaxSize {
		t.Fatalf("as long as allowed: %v", err)
	}
	_, err = resolve.Names(t.Context(), src, app, []string{"K30"})
	if got := problems(t, err)["K30"]; got != "references make it longer than 16 MiB" {
		t.Errorf("longer: %q", got)
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	src := scoped("app/development", layer(resolve.Base, "KEY=hunter2"), layer(resolve.Environment, "X=1", "KEY=a${zvault://shop/B}${zvault://X}"), layer(resolve.Personal, "Y=1"))
	e, err := resolve.Explain(t.Context(), src, app, "KEY", layer(resolve.File, "Z=1"))
	must(t, err)
	want := resolve.Explanation{Name: "KEY", Scope: "app/development", Problem: "refers to shop/development: there is no environment shop/development: not found", Layers: []resolve.LayerView{
		{Kind: resolve.Base, Label: "the base", Set: true, Version: 1},
		{Kind: resolve.Environment, Label: "the environment", Set: true, Wins: true, Version: 2, Refers: []string{"zvault://shop/B", "zvault://X"}},
		{Kind: resolve.Personal, Label: "the personal"}, {Kind: resolve.File, Label: "the file"},
	}}
	if diff := cmp.Diff(want, e); diff != "" {
		t.Error(diff)
	}
	e, err = resolve.Explain(t.Context(), src, app, "NONE")
	must(t, err)
	if e.Problem != "not set in app/development" {
		t.Errorf("a name that no layer holds: %+v", e)
	}
	if strings.Contains(fmt.Sprintf("%+v", e), "hunter2") {
		t.Error("the explanation holds a value")
	}
}
