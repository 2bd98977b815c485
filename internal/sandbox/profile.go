package sandbox

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Profile returns the text for macOS's sandbox-exec that does what the options say: rules in its Scheme dialect, of which
// the last that fits decides. Paths must be real ones (without symbolic links, for instance /private/tmp), as the system
// compares those.
func Profile(o Options) string {
	var b strings.Builder
	b.WriteString("(version 1)\n(allow default)\n")
	b.WriteString("(deny process-info* (target others))\n(deny mach-priv-task-port)\n(deny system-privilege)\n(deny signal (target others))\n(allow signal (target same-sandbox))\n")
	for _, service := range keychainServices {
		fmt.Fprintf(&b, "(deny mach-lookup (global-name %s))\n", quoted(service))
	}
	b.WriteString("(deny network*)\n(allow network-bind (local ip \"localhost:*\"))\n(allow network-inbound (local ip \"localhost:*\"))\n")
	for _, f := range o.Forward {
		if f.Socket != "" {
			fmt.Fprintf(&b, "(allow network-outbound (literal %s))\n", quoted(f.Socket))
		} else {
			fmt.Fprintf(&b, "(allow network-outbound (remote ip %s))\n", quoted(fmt.Sprintf("localhost:%d", f.Port)))
		}
	}
	b.WriteString("(deny file-write*)\n(allow file-write* (subpath \"/private/tmp\") (subpath \"/private/var/folders\") (regex #\"^/dev/(null|zero|tty|ttys[0-9]+|fd/.*)$\"))\n")
	for _, r := range profileRules(&o) {
		switch r.Kind {
		case hidden:
			fmt.Fprintf(&b, "(deny file-read* file-write* network-outbound (subpath %s))\n", quoted(r.Path))
		case readOnly:
			fmt.Fprintf(&b, "(allow file-read* (subpath %[1]s))\n(deny file-write* (subpath %[1]s))\n", quoted(r.Path))
		case readWrite:
			fmt.Fprintf(&b, "(allow file-read* file-write* (subpath %[1]s))\n(allow network-outbound (literal %[1]s))\n", quoted(r.Path))
		case scratch:
		}
	}
	for _, p := range o.HideFiles {
		bare, exception := strings.CutPrefix(p, "!")
		verb := "deny"
		if exception {
			verb = "allow"
		}
		fmt.Fprintf(&b, "(%s file-read-data file-write* (regex %s))\n", verb, `#"`+nameExpression(o.Dir, bare)+`"`)
	}
	return b.String()
}

// keychainServices answer for the keychain and for what it unlocks.
var keychainServices = []string{
	"com.apple.SecurityServer", "com.apple.securityd.xpc", "com.apple.secd", "com.apple.security.agent",
	"com.apple.pasteboard.1", "com.apple.coreservices.appleevents", "com.apple.ssh-agent",
}

// profileRules orders the rules so that those of longer paths, and at one path the stronger, come last.
func profileRules(o *Options) []rule {
	var rules []rule
	for _, list := range []struct {
		paths []string
		kind  kind
	}{{o.ReadOnly, readOnly}, {append([]string{o.Dir}, o.ReadWrite...), readWrite}, {o.Hide, hidden}} {
		for _, p := range list.paths {
			rules = append(rules, rule{filepath.Clean(p), list.kind})
		}
	}
	slices.SortStableFunc(rules, func(a, b rule) int { return len(a.Path) - len(b.Path) })
	return rules
}

// nameExpression is the regular expression for files in dir whose name fits a pattern of path.Match.
func nameExpression(dir, pattern string) string {
	name := regexp.QuoteMeta(pattern)
	name = strings.NewReplacer(`\*`, `[^/]*`, `\?`, `[^/]`, `\[`, `[`, `\]`, `]`).Replace(name)
	return strings.ReplaceAll("^"+regexp.QuoteMeta(filepath.Clean(dir))+"/(.*/)?"+name+"$", `"`, `\"`)
}

// quoted is a string of the profile's language.
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
