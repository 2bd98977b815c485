package kv2

import (
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// switches are the settings that a mount and a key have in common, as given in a request; nil: not given.
type switches struct {
	maxVersions       *uint32
	required, metaCAS *bool
	deleteAfter       *time.Duration
}

// parseSwitches reads them. Null is the zero value, but for a span, where it means nothing.
func parseSwitches(d logical.Data) switches {
	var s switches
	if _, ok := d.Raw["max_versions"]; ok {
		n := uint32(d.Int("max_versions")) // a negative number is a very large one, as in OpenBao
		s.maxVersions = &n
	}
	if _, ok := d.Raw["cas_required"]; ok {
		b := d.Bool("cas_required")
		s.required = &b
	}
	if _, ok := d.Raw["metadata_cas_required"]; ok {
		b := d.Bool("metadata_cas_required")
		s.metaCAS = &b
	}
	if d.Has("delete_version_after") {
		span := d.Duration("delete_version_after").Truncate(time.Second)
		s.deleteAfter = &span
	}
	return s
}

func (s *switches) empty() bool { return *s == switches{} }

func (s *switches) apply(maxVersions *uint32, required, metaCAS *bool, deleteAfter *time.Duration) {
	if s.maxVersions != nil {
		*maxVersions = *s.maxVersions
	}
	if s.required != nil {
		*required = *s.required
	}
	if s.metaCAS != nil {
		*metaCAS = *s.metaCAS
	}
	if s.deleteAfter != nil {
		*deleteAfter = *s.deleteAfter
	}
}

// overruled warns of a switch that the mount leaves on.
func (s *switches) overruled(mount *config) []string {
	const text = " set to false, but is mandated by backend config. This value will be ignored."
	var warnings []string
	if s.required != nil && !*s.required && mount.Required {
		warnings = append(warnings, `"cas_required"`+text)
	}
	if s.metaCAS != nil && !*s.metaCAS && mount.MetaCAS {
		warnings = append(warnings, `"metadata_cas_required"`+text)
	}
	return warnings
}
