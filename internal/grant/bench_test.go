package grant_test

import (
	"fmt"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/grant"
)

// BenchmarkDecide holds one use against a hundred rules.
func BenchmarkDecide(b *testing.B) {
	rules := map[string][]grant.Rule{}
	for i := range 100 {
		rules["STRIPE_KEY"] = append(rules["STRIPE_KEY"], grant.Rule{
			Tools: []string{"http_request"}, Hosts: []string{fmt.Sprintf("*.h%d.example.com:443", i), "api.stripe.com"}, Paths: []string{"/v1/**/x"},
		})
	}
	for b.Loop() {
		if grant.Decide(charge(), rules, noon, nil).Outcome != grant.Denied {
			b.Fatal("it is permitted")
		}
	}
}
