package sandbox

import (
	"fmt"
	"strings"
)

// Names of the layers in a [Report].
const (
	LayerUser     = "user namespace"
	LayerMount    = "mount namespace"
	LayerProcess  = "process namespace"
	LayerNetwork  = "network namespace"
	LayerLandlock = "landlock"
	LayerSeccomp  = "seccomp"
	LayerSeatbelt = "macos sandbox"
)

// Report says which protections are on.
type Report struct {
	Layers []Layer
	// Open lists, in plain sentences, what a hostile program can still do because a layer is missing. Empty if none is.
	Open []string
}

// Layer is one mechanism of the system.
type Layer struct {
	Name string
	// Guards says what it is for.
	Guards string
	On     bool
	// Detail is the version if it is on, and why not if it is off. May be empty.
	Detail string
}

// Missing returns the names of the layers that are off.
func (r Report) Missing() []string {
	var names []string
	for _, l := range r.Layers {
		if !l.On {
			names = append(names, l.Name)
		}
	}
	return names
}

// Complete reports whether every layer is on.
func (r Report) Complete() bool { return len(r.Layers) > 0 && len(r.Missing()) == 0 }

// String is the report for people: a line for each layer, then what stays open.
func (r Report) String() string {
	var b strings.Builder
	for _, l := range r.Layers {
		state := "on "
		if !l.On {
			state = "OFF"
		}
		fmt.Fprintf(&b, "%s  %-17s  %s", state, l.Name, l.Guards)
		if l.Detail != "" {
			fmt.Fprintf(&b, " (%s)", l.Detail)
		}
		b.WriteByte('\n')
	}
	for _, s := range r.Open {
		fmt.Fprintf(&b, "open: %s\n", s)
	}
	return b.String()
}

// enough returns an error if the level asks for more than there is.
func (r Report) enough(want Level) error {
	if want == All && !r.Complete() {
		return fmt.Errorf("%w: missing %s", ErrIncomplete, strings.Join(r.Missing(), ", "))
	}
	return nil
}
