package vault

import (
	"context"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
)

type templateIn struct {
	Env       string `json:"env,omitempty" jsonschema:"environment; the one in force if left out"`
	File      string `json:"file,omitempty" jsonschema:"write the template to this file below the project's directory, .env.zvault as a rule"`
	Overwrite bool   `json:"overwrite,omitempty" jsonschema:"replace the file if it exists"`
}

type templateOut struct {
	Text    string `json:"text" jsonschema:"lines NAME=zvault://project/NAME with comments; holds no values and may be committed"`
	Secrets int    `json:"secrets"`
	File    string `json:"file,omitempty" jsonschema:"the file that was written"`
}

func generateEnvTemplate() (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "generate_env_template", Title: "Make a template of an environment", Set: tool.Vault, Idempotent: true, Destructive: true,
		Text: "Makes the text of .env.zvault: a line for each secret that holds its address instead of its value. `zvault run` and the SDKs read it. " +
			"With file it is also written.",
	}, runTemplate)
}

func runTemplate(ctx context.Context, c *tool.Call, a templateIn) (templateOut, error) {
	e := in(c, a.Env)
	all, err := c.Platform.List(ctx, c.Caller, e, platform.Moment{})
	if err != nil {
		return templateOut{}, err
	}
	schema, _, err := c.Platform.Schema(ctx, c.Caller, e.Project)
	if err != nil {
		return templateOut{}, err
	}
	out := templateOut{Text: template(e, all, schema), Secrets: len(all), File: a.File}
	if a.File != "" {
		err = writeFile(c, a.File, []byte(out.Text), a.Overwrite)
	}
	return out, err
}

func template(e platform.Env, all []platform.Secret, schema platform.Schema) string {
	var b strings.Builder
	for _, s := range all {
		for line := range strings.Lines(s.Comment) {
			if line = strings.TrimSpace(line); line != "" {
				b.WriteString("# " + strings.TrimPrefix(line, "# ") + "\n")
			}
		}
		if rule, ok := schema[s.Name]; ok && rule.Required && !strings.Contains(s.Comment, "@required") {
			b.WriteString("# @required\n")
		}
		b.WriteString(s.Name + "=" + addressOf(e, s.Name) + "\n")
	}
	return b.String()
}
