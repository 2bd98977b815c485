package policy

import (
	"math/bits"
	"slices"
	"strings"
)

// A Capability is one thing that a rule may grant.
type Capability uint16

// The capabilities. Deny takes away all others. Sudo opens paths that are protected beyond the operation itself.
const (
	Deny Capability = 1 << iota
	Create
	Read
	Update
	Patch
	Delete
	List
	Scan
	Sudo
)

// operations are the capabilities that a request can ask for.
const operations = Create | Read | Update | Patch | Delete | List | Scan

// capabilityCount is how many bits are in use.
const capabilityCount = 9

// String returns the name in policies, or "" for what is not exactly one capability.
func (c Capability) String() string {
	switch c {
	case Deny:
		return "deny"
	case Create:
		return "create"
	case Read:
		return "read"
	case Update:
		return "update"
	case Patch:
		return "patch"
	case Delete:
		return "delete"
	case List:
		return "list"
	case Scan:
		return "scan"
	case Sudo:
		return "sudo"
	}
	return ""
}

// ParseCapability returns the capability of a name, which is that of Capability.String.
func ParseCapability(name string) (Capability, bool) {
	for i := range capabilityCount {
		if c := Capability(1 << i); c.String() == name {
			return c, true
		}
	}
	return 0, false
}

// single reports whether c is one operation, and not a set or none.
func (c Capability) single() bool { return c&operations == c && bits.OnesCount16(uint16(c)) == 1 }

// Capabilities is a set of them: their bits, joined with |.
type Capabilities uint16

// Has reports whether the set holds c. A set that holds Deny holds nothing else.
func (s Capabilities) Has(c Capability) bool { return s&Capabilities(c) != 0 }

// Names returns the names of the set, sorted.
func (s Capabilities) Names() []string {
	var names []string
	for i := range capabilityCount {
		if c := Capability(1 << i); s.Has(c) {
			names = append(names, c.String())
		}
	}
	slices.Sort(names)
	return names
}

// String returns the names with a comma and a space between.
func (s Capabilities) String() string { return strings.Join(s.Names(), ", ") }

// capabilityNames lists every name, as hints for mistyped ones.
func capabilityNames() []string { return (Capabilities(1)<<capabilityCount - 1).Names() }

// legacy returns what the old attribute "policy" stands for.
func legacy(word string) (Capabilities, bool) {
	const write = Capabilities(Create | Read | Update | Delete | List)
	switch word {
	case "deny":
		return Capabilities(Deny), true
	case "read":
		return Capabilities(Read | List), true
	case "write":
		return write, true
	case "sudo":
		return write | Capabilities(Sudo), true
	}
	return 0, false
}
