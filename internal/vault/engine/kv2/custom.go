package kv2

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// The limits of custom metadata: names, and bytes of a name and of a text. None may be empty.
const (
	maxCustom      = 64
	maxCustomName  = 128
	maxCustomValue = 512
)

const customInvalid = "custom_metadata validation failed: "

// custom is what a request says of custom metadata.
type custom struct {
	given   bool
	keep    bool // what is not named stays
	set     map[string]string
	removed []string
}

// parseCustom reads the field custom_metadata and checks what it sets. In a patch, null removes a name; otherwise it is an
// empty text. A null for the whole removes all.
func parseCustom(d logical.Data, patch bool) (custom, error) {
	raw, ok := d.Raw["custom_metadata"]
	if !ok {
		return custom{}, nil
	}
	c := custom{given: true, keep: patch && raw != nil, set: map[string]string{}}
	for name, v := range d.Map("custom_metadata") {
		if v == nil && patch {
			c.removed = append(c.removed, name)
			continue
		}
		s, ok := scalar(v)
		if !ok {
			return custom{}, logical.Invalid(customInvalid+"value for key %q is no string", name)
		}
		c.set[name] = s
	}
	return c, checkCustom(c.set)
}

// scalar turns what is not an object or a list into text.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "", true
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		if v {
			return "1", true
		}
		return "0", true
	}
	return "", false
}

// applied returns what old becomes, nil if that is nothing.
func (c *custom) applied(old map[string]string) map[string]string {
	out := map[string]string{}
	if c.keep {
		maps.Copy(out, old)
	}
	for _, name := range c.removed {
		delete(out, name)
	}
	maps.Copy(out, c.set)
	if len(out) == 0 {
		return nil
	}
	return out
}

// checkCustom holds custom metadata to its limits and names all that is wrong with it, but no text.
func checkCustom(m map[string]string) error {
	if len(m) > maxCustom {
		return joined([]string{fmt.Sprintf("payload must contain at most %d keys, provided %d", maxCustom, len(m))})
	}
	var wrong []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if n := len(name); n == 0 || n > maxCustomName {
			wrong = append(wrong, fmt.Sprintf("length of key %q is %d but must be 0 < len(key) <= %d", name, n, maxCustomName))
		}
		if n := len(m[name]); n == 0 || n > maxCustomValue {
			wrong = append(wrong, fmt.Sprintf("length of value for key %q is %d but must be 0 < len(value) <= %d", name, n, maxCustomValue))
		}
		if !printable(name) {
			wrong = append(wrong, fmt.Sprintf("key %q (%s) contains unprintable characters", name, name))
		}
		if !printable(m[name]) {
			wrong = append(wrong, fmt.Sprintf("value for key %q contains unprintable characters", name))
		}
	}
	if wrong == nil {
		return nil
	}
	return joined(wrong)
}

// joined makes one error of many, in the form that clients know.
func joined(wrong []string) error {
	head := "1 error occurred:"
	if len(wrong) > 1 {
		head = fmt.Sprintf("%d errors occurred:", len(wrong))
	}
	return logical.Invalid("%s\n\t* %s%s\n\n", head, customInvalid, strings.Join(wrong, "\n\t* "+customInvalid))
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}
