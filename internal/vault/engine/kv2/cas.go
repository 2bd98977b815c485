package kv2

import (
	"encoding/json"
	"strconv"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// checkCAS compares options.cas with the current version. It must be there if the mount or the key says so.
func checkCAS(d logical.Data, mount *config, m *metadata) error {
	raw, ok := d.Map("options")["cas"]
	if !ok {
		if mount.Required || m.Required {
			return logical.Invalid("check-and-set parameter required for this call")
		}
		return nil
	}
	expected, ok := integer(raw)
	if !ok {
		return logical.Invalid("error parsing check-and-set parameter")
	}
	if expected < 0 || uint64(expected) != m.Current {
		return logical.Invalid("check-and-set parameter did not match the current version")
	}
	return nil
}

// checkMetadataCAS is the same for the settings of a key; m is nil if there is none yet.
func checkMetadataCAS(d logical.Data, mount *config, m *metadata) error {
	raw, ok := d.Raw["metadata_cas"]
	if !ok {
		if mount.MetaCAS || m != nil && m.MetaCAS {
			return logical.Invalid("metadata check-and-set parameter required for this call")
		}
		return nil
	}
	expected, ok := integer(raw)
	if m == nil {
		if !ok || expected != 0 {
			return logical.Invalid("metadata_cas must be 0 when creating new metadata")
		}
		return nil
	}
	if !ok || expected < 0 || uint64(expected) != m.Revision {
		return logical.Invalid("metadata check-and-set parameter does not match the current version")
	}
	return nil
}

// integer reads a whole number as OpenBao takes them within an object: also as text in any base of Go's, null and "" as 0,
// true as 1.
func integer(v any) (int64, bool) {
	switch v := v.(type) {
	case nil:
		return 0, true
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case json.Number:
		n, err := v.Int64()
		return n, err == nil
	case string:
		if v == "" {
			return 0, true
		}
		n, err := strconv.ParseInt(v, 0, 64)
		return n, err == nil
	}
	return 0, false
}
