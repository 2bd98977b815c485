package hook

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// collect goes through the input of a tool. Editors name the same thing differently, and MCP servers in ways of their own, so it is the
// names of fields that say what a text is.
func (e *Event) collect(raw json.RawMessage, judged bool) error {
	if len(raw) == 0 {
		return nil
	}
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return fmt.Errorf("%w: %s", ErrEvent, "the input of the tool is not JSON")
	}
	if s, ok := v.(string); ok { // JSON within a string, as Cursor sends it
		var inner any
		if json.Unmarshal([]byte(s), &inner) == nil {
			v = inner
		}
	}
	e.visit("", v, judged)
	return nil
}

func (e *Event) visit(name string, v any, judged bool) {
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			e.visit(key, inner, judged)
		}
	case []any:
		if list := stringsOf(v); isCommand(name) && len(list) > 0 {
			e.Arguments = append(e.Arguments, list)
			e.Texts = append(e.Texts, strings.Join(list, " "))
			return
		}
		for _, inner := range v {
			e.visit(name, inner, judged)
		}
	case string:
		switch {
		case judged && isCommand(name):
			e.Commands = append(e.Commands, v)
			e.Texts = append(e.Texts, v)
		case judged && isFile(name) && !e.listsNames() && !e.writes():
			e.Files = append(e.Files, v)
		default:
			e.Texts = append(e.Texts, v)
		}
	}
}

// stringsOf is a list that has nothing but strings.
func stringsOf(list []any) []string {
	var out []string
	for _, v := range list {
		s, ok := v.(string)
		if !ok {
			return nil
		}
		out = append(out, s)
	}
	return out
}

// plain is a name without case, underscores and dashes.
func plain(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name))
}

func isCommand(name string) bool {
	return slices.Contains([]string{"command", "cmd", "commandline", "shellcommand", "script", "commands"}, plain(name))
}

func isFile(name string) bool {
	name = plain(name)
	return strings.HasSuffix(name, "path") || strings.HasSuffix(name, "paths") ||
		slices.Contains([]string{"file", "files", "targetfile", "filename", "filenames", "uri", "uris", "glob", "include"}, name)
}

// listsNames reports whether the tool shows names of files and nothing of what is in them.
func (e *Event) listsNames() bool {
	return slices.Contains([]string{"glob", "ls", "listdirectory", "listdir", "filesearch", "findfiles", "fssearch"}, plain(e.Tool))
}

// writes reports whether the tool writes a whole file, which shows nothing of the one before.
func (e *Event) writes() bool {
	return slices.Contains([]string{"write", "writefile", "createfile", "fswrite", "savefile"}, plain(e.Tool)) || plain(e.Name) == "prewritecode"
}

// texts collects all strings of a result.
func (e *Event) texts(raw json.RawMessage) error {
	if len(raw) == 0 {
		return nil
	}
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return fmt.Errorf("%w: the result of the tool is not JSON", ErrEvent)
	}
	each(v, func(s string) string {
		e.Texts = append(e.Texts, s)
		return s
	})
	return nil
}

// each applies f to every string in v and returns the result.
func each(v any, f func(string) string) any {
	switch v := v.(type) {
	case string:
		return f(v)
	case []any:
		for i := range v {
			v[i] = each(v[i], f)
		}
		return v
	case map[string]any:
		for k := range v {
			v[k] = each(v[k], f)
		}
		return v
	}
	return v
}
