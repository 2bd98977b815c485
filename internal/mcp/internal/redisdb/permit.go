package redisdb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

// The server's words for commands that are not run without Write even if they are "readonly" too, each with what to say.
func unwanted() map[string]string {
	return map[string]string{
		"write": "it writes", "admin": "it administers the server", "blocking": "it waits", "pubsub": "it makes the connection a listener",
		"noscript": "", "@scripting": "it runs a script", "@dangerous": "the server calls it dangerous: it may hold everybody up, as KEYS does; SCAN with a cursor does not",
	}
}

// harmless are commands without keys, which the server does not call "readonly" for that reason.
func harmless() []string { return []string{"ping", "info", "time", "lastsave", "echo"} }

// permit refuses a command that is not for reading. The server is asked once for each command of a session.
func (x *session) permit(ctx context.Context, words []string) error {
	name := strings.ToLower(words[0])
	if slices.Contains(harmless(), name) {
		return nil
	}
	if len(words) > 1 { // a command such as OBJECT has others below it, each with flags of its own
		name += "|" + strings.ToLower(words[1])
	}
	why, ok := x.reads[name]
	if !ok {
		var err error
		if why, err = x.ask(ctx, name); err != nil {
			return err
		}
		if len(x.reads) < 1000 {
			x.reads[name] = why
		}
	}
	if why != "" {
		return tool.Failed("denied", "%s is not run without allow_write: %s", strings.ToUpper(words[0]), why)
	}
	return nil
}

// ask has the server tell about a command. Its answer is described under COMMAND INFO and COMMAND in Redis's documentation:
// a list with name, arity, flags, three positions, categories, tips, key specifications, subcommands.
func (x *session) ask(ctx context.Context, name string) (why string, err error) {
	command, _, _ := strings.Cut(name, "|")
	about, err := x.info(ctx, command)
	if err != nil {
		return "", err
	}
	if about == nil {
		return "", tool.Failed("failed", "the server knows no command %q", command)
	}
	if len(about) > 9 {
		if below, ok := about[9].([]any); ok && len(below) > 0 {
			if about, err = x.info(ctx, name); err != nil {
				return "", err
			}
			if about == nil {
				return "the server knows no such subcommand", nil
			}
		}
	}
	return judge(about), nil
}

func (x *session) info(ctx context.Context, name string) ([]any, error) {
	answer, err := x.client.Do(ctx, "COMMAND", "INFO", name).Result()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("asking about the command: %w", err)
	}
	if list, ok := answer.([]any); ok && len(list) == 1 {
		if list[0] == nil {
			return nil, nil
		}
		if about, ok := list[0].([]any); ok && len(about) >= 6 {
			return about, nil
		}
	}
	return nil, tool.Failed("failed", "the server does not tell what its commands do")
}

// judge says why a command is not for reading, empty if it is.
func judge(about []any) string {
	marks := texts(about[2])
	if len(about) > 6 {
		marks = append(marks, texts(about[6])...)
	}
	bad := unwanted()
	for _, mark := range marks {
		if why := bad[mark]; why != "" {
			return why
		}
	}
	if !slices.Contains(marks, "readonly") {
		return "the server does not call it readonly"
	}
	return ""
}

// texts are the texts of a list or a set.
func texts(v any) []string {
	list, _ := v.([]any) // anything else has none
	var out []string
	for _, e := range list {
		if s, ok := e.(string); ok {
			out = append(out, strings.ToLower(s))
		}
	}
	if set, ok := v.(map[any]any); ok {
		for e := range set {
			if s, ok := e.(string); ok {
				out = append(out, strings.ToLower(s))
			}
		}
	}
	return out
}
