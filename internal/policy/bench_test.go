package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/policy"
)

// bigACL has the default policy and a thousand rules of teams, as a busy token of a large company does.
func bigACL(t testing.TB) *policy.ACL {
	var b strings.Builder
	for i := range 250 {
		fmt.Fprintf(&b, `
			path "secret/data/team-%[1]d/*"         { capabilities = ["read", "list"] }
			path "secret/data/team-%[1]d/shared"    { capabilities = ["read"] }
			path "secret/metadata/team-%[1]d/+/web" { capabilities = ["list"] }
			path "database/creds/team-%[1]d-*"      { capabilities = ["read"] }`, i)
	}
	entity := func(string) (string, bool) { return "e-1", true }
	return policy.Compile(mustParse(t, "default", policy.DefaultText).Expand(entity), mustParse(t, "teams", b.String()))
}

// hot are the questions that must cost next to nothing.
func hot() map[string]policy.Query {
	data := map[string]any{"ttl": "1h"}
	return map[string]policy.Query{
		"exact":    {Capability: policy.Read, Path: "secret/data/team-120/shared"},
		"prefix":   {Capability: policy.Read, Path: "secret/data/team-120/app/db/password"},
		"segments": {Capability: policy.List, Path: "secret/metadata/team-77/app/web"},
		"list":     {Capability: policy.List, Path: "secret/data/team-120/app/"},
		"data":     {Capability: policy.Read, Path: "database/creds/team-9-rw", Data: data},
		"nothing":  {Capability: policy.Read, Path: "secret/data/nobody/x"},
	}
}

func TestACL_Check_DoesNotAllocate(t *testing.T) {
	acl := bigACL(t)
	for name, q := range hot() {
		if acl.Check(q).Allowed != (name != "nothing") {
			t.Errorf("%s: %+v", name, acl.Check(q))
		}
		if n := testing.AllocsPerRun(100, func() { acl.Check(q) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkACL_Check(b *testing.B) {
	acl := bigACL(b)
	for name, q := range hot() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				acl.Check(q)
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	b.SetBytes(int64(len(policy.DefaultText)))
	for b.Loop() {
		if _, err := policy.Parse("default", policy.DefaultText); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	p := mustParse(b, "default", policy.DefaultText)
	for b.Loop() {
		policy.Compile(p)
	}
}
