package policy

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Format writes rules in HCL, in one notation whatever they were written in. Parse reads the same rules from it.
func Format(rules ...*Rule) string {
	var b strings.Builder
	for i, r := range rules {
		if i > 0 {
			b.WriteByte('\n')
		}
		r.format(&b)
	}
	return b.String()
}

func (r *Rule) format(b *strings.Builder) {
	fmt.Fprintf(b, "path %s {\n", quote(r.Path))
	attribute := func(name, text string) { fmt.Fprintf(b, "  %s = %s\n", name, text) }
	if r.Comment != "" {
		attribute("comment", quote(r.Comment))
	}
	attribute("capabilities", formatNames(r.Capabilities.Names()))
	if r.Allowed != nil {
		attribute("allowed_parameters", formatParameters(r.Allowed))
	}
	if r.Denied != nil {
		attribute("denied_parameters", formatParameters(r.Denied))
	}
	if len(r.Required) > 0 {
		attribute("required_parameters", formatNames(r.Required))
	}
	if r.MinWrap > 0 {
		attribute("min_wrapping_ttl", quote(r.MinWrap.String()))
	}
	if r.MaxWrap > 0 {
		attribute("max_wrapping_ttl", quote(r.MaxWrap.String()))
	}
	if r.Limit > 0 {
		attribute("pagination_limit", strconv.Itoa(r.Limit))
	}
	if r.KeysFilter != "" {
		attribute("list_scan_response_keys_filter_path", quote(r.KeysFilter))
	}
	if !r.Expires.IsZero() {
		attribute("expiration", quote(r.Expires.Format(time.RFC3339Nano)))
	}
	b.WriteString("}\n")
}

func formatNames(names []string) string {
	quoted := make([]string, 0, len(names))
	for _, name := range names {
		quoted = append(quoted, quote(name))
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

func formatParameters(parameters map[string][]any) string {
	var b strings.Builder
	b.WriteString("{\n")
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		fmt.Fprintf(&b, "    %s = %s\n", quote(name), formatValue(parameters[name]))
	}
	b.WriteString("  }")
	return b.String()
}

func formatValue(v any) string {
	switch v := v.(type) {
	case []any:
		list := make([]string, 0, len(v))
		for _, element := range v {
			list = append(list, formatValue(element))
		}
		return "[" + strings.Join(list, ", ") + "]"
	case string:
		return quote(v)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return fmt.Sprint(v) // int64 or bool
}

// quote writes a string as HCL does. There, "${" begins an expression in which nothing is escaped, so its dollar is.
func quote(s string) string { return strings.ReplaceAll(strconv.Quote(s), "${", `\u0024{`) }
