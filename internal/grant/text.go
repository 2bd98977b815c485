package grant

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// String is the rule in one line, as the flags of `zvault secret allow` have it.
func (r Rule) String() string {
	var parts []string
	for _, f := range []struct {
		name   string
		values []string
	}{
		{"tool", r.Tools}, {"env", r.Envs}, {"host", r.Hosts}, {"method", r.Methods}, {"path", r.Paths}, {"in", r.In}, {"command", r.Commands},
	} {
		for _, v := range f.values {
			parts = append(parts, "--"+f.name+" "+joinWords([]string{Visible(v)}))
		}
	}
	if r.Max > 0 {
		parts = append(parts, "--max "+strconv.Itoa(r.Max))
	}
	if r.Approve {
		parts = append(parts, "--approve")
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, " ")
}

// Line is one thing that a person should know of a request before they answer it.
type Line struct{ Name, Text string }

// Lines is a request in full, in words that are safe to show: what cannot be seen is escaped.
func (r Request) Lines(now time.Time) []Line {
	u := r.Use
	lines := []Line{
		{"who asks", r.Asker.String()},
		{"tool", Visible(u.Tool)},
		{"where from", Visible(u.Project) + "/" + Visible(u.Env)},
	}
	for _, name := range u.names() {
		where := "wherever the tool puts it"
		if in := u.In[name]; in != "" {
			where = "in " + Visible(in)
		}
		lines = append(lines, Line{"secret", Visible(name) + ", " + where})
	}
	if to := target(u); to != "" {
		lines = append(lines, Line{"where to", to})
	}
	if len(u.Command) > 0 {
		lines = append(lines, Line{"command", Visible(joinWords(u.Command))})
	}
	if u.Body != "" {
		lines = append(lines, Line{"body", "sha256 " + Visible(u.Body)})
	}
	return append(lines, Line{"why you are asked", r.Why}, Line{"expires", fmt.Sprintf("in %s", r.Expires.Sub(now).Round(time.Second))})
}

// target is method, scheme, host, path and query of a use.
func target(u Use) string {
	if u.Host == "" && u.Path == "" && u.Method == "" {
		return ""
	}
	text := u.address() + u.Path
	if u.Query != "" {
		text += "?" + u.Query
	}
	if u.Scheme != "" {
		text = u.Scheme + "://" + text
	}
	return strings.TrimSpace(Visible(u.Method) + " " + Visible(text))
}
