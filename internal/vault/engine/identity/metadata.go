package identity

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// Limits of metadata, as Vault has them.
const (
	mostPairs    = 64
	longestKey   = 128
	longestValue = 512
	reservedKeys = "vault-"
)

// metadata refuses metadata that Vault would refuse. of is what it belongs to.
func metadata(of string, pairs map[string]string) error {
	if len(pairs) > mostPairs {
		return logical.Invalid("invalid %s metadata: metadata cannot contain more than %d key/value pairs", of, mostPairs)
	}
	for k, v := range pairs {
		if problem := pair(k, v); problem != "" {
			return logical.Invalid("invalid %s metadata: failed to load metadata pair (%q, %q): %s", of, k, v, problem)
		}
	}
	return nil
}

func pair(k, v string) string {
	switch {
	case k == "":
		return "key cannot be blank"
	case strings.ContainsFunc(k, func(r rune) bool { return !keyRune(r) }):
		return "key contains invalid characters"
	case len(k) > longestKey:
		return "key is too long (limit: 128 characters)"
	case strings.HasPrefix(k, reservedKeys):
		return `key prefix "vault-" is reserved for internal use`
	case len(v) > longestValue:
		return "value is too long (limit: 512 characters)"
	}
	return ""
}

func keyRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("=/+_-", r)
}

// customMetadata refuses metadata of an alias from people that Vault would refuse.
func customMetadata(pairs map[string]string) error {
	const failed = "custom_metadata validation failed"
	if len(pairs) > mostPairs {
		return logical.Invalid("%s: payload must contain at most %d keys, provided %d", failed, mostPairs, len(pairs))
	}
	for k, v := range pairs {
		switch {
		case k == "" || len(k) > longestKey:
			return logical.Invalid("%s: length of key %q is %d but must be 0 < len(key) <= %d", failed, k, len(k), longestKey)
		case v == "" || len(v) > longestValue:
			return logical.Invalid("%s: length of value for key %q is %d but must be 0 < len(value) <= %d", failed, k, len(v), longestValue)
		case strings.ContainsFunc(k, func(r rune) bool { return !unicode.IsPrint(r) }):
			return logical.Invalid("%s: key %q contains unprintable characters", failed, k)
		case strings.ContainsFunc(v, func(r rune) bool { return !unicode.IsPrint(r) }):
			return logical.Invalid("%s: value for key %q contains unprintable characters", failed, k)
		}
	}
	return nil
}

// stamp is a time as Vault prints it.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// filled is a list that is never null.
func filled(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// policies cleans the policies of a request: lower case, sorted, each once, and not root.
func policies(d logical.Data) ([]string, error) {
	list := unique(d.Strings("policies"), strings.ToLower)
	if contains(list, "root") {
		return nil, logical.Invalid("policies cannot contain root")
	}
	return list, nil
}

// unique sorts a list, each item once, after change.
func unique(list []string, change func(string) string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = change(s)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func same(s string) string { return s }
