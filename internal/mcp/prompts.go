package mcp

import (
	"context"
	"fmt"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// prompt is a prompt with the text that it makes of its arguments.
type prompt struct {
	sdk.Prompt
	text func(given map[string]string) string
}

// prompts are all that the server has.
func prompts() []prompt {
	name := &sdk.PromptArgument{Name: "name", Description: "the secret's name", Required: true}
	env := &sdk.PromptArgument{Name: "env", Description: "the environment; the one in force if left out"}
	return []prompt{
		{sdk.Prompt{
			Name: "set_up_project", Title: "Set up a project", Description: "Move a project's .env into the vault, without its values being read by anyone.",
			Arguments: []*sdk.PromptArgument{{Name: "file", Description: "the file to import; .env if left out"}},
		}, setUpText},
		{sdk.Prompt{
			Name: "rotate_key", Title: "Rotate a key", Description: "Give a secret another value and see to it that everything goes on working.",
			Arguments: []*sdk.PromptArgument{name, env},
		}, rotateText},
		{sdk.Prompt{
			Name: "what_production_lacks", Title: "Find what production lacks", Description: "Compare environments and list what is missing before a release.",
			Arguments: []*sdk.PromptArgument{{Name: "from", Description: "the environment to compare with; development if left out"}},
		}, lacksText},
	}
}

func (s *Server) addPrompts() {
	for _, p := range prompts() {
		s.sdk.AddPrompt(&p.Prompt, func(_ context.Context, req *sdk.GetPromptRequest) (*sdk.GetPromptResult, error) {
			return &sdk.GetPromptResult{Description: p.Description, Messages: []*sdk.PromptMessage{
				{Role: "user", Content: &sdk.TextContent{Text: p.text(req.Params.Arguments)}},
			}}, nil
		})
	}
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func setUpText(given map[string]string) string {
	file := or(given["file"], ".env")
	return fmt.Sprintf(`Set this project up with ZVault. Do not open %[1]s: its values are not for you.
1. Call zvault_vault_status. If there is no vault or it is sealed, tell me which command to run and wait.
2. Call zvault_bulk_import with file %[1]q. It stores the values and tells you the names.
3. Call zvault_generate_env_template to write .env.zvault, which holds addresses only and may be committed.
4. Call zvault_check_env and tell me what it finds.
5. Show me how to start the program with its secrets: zvault run -- <the project's start command>.`, file)
}

func rotateText(given map[string]string) string {
	name, env := given["name"], or(given["env"], "the environment in force")
	return fmt.Sprintf(`Rotate the secret %[1]s in %[2]s.
1. Call zvault_describe_secret for %[1]s and tell me what refers to it and what is expected of it.
2. Ask me whether another party issues the value (an API key, say) or whether ZVault can make it (a signing key, a password of ours).
3. If ZVault can make it, call zvault_rotate_secret with generate. If not, tell me where to get the new one and call zvault_rotate_secret
   without generate, so that I can enter it on a page of my own. Never ask me to write it here.
4. Test it with the tool that fits (zvault_check_service, zvault_http_request, zvault_query_database).
5. Call zvault_secret_history and tell me the version that is in force, and how to go back: zvault secret rollback %[1]s.
6. Remind me to revoke the old value where it was issued.`, name, env)
}

func lacksText(given map[string]string) string {
	return fmt.Sprintf(`Find out what production lacks.
1. Call zvault_compare_envs with left %q and right "production".
2. Call zvault_check_env with env "production".
3. Give me one list: missing, there but breaking the schema, and only in production. For each missing one say whether it should be copied
   (zvault_copy_secret), generated (zvault_set_secret with generate), or entered by me (zvault_set_secret).
Change nothing before I have said so.`, or(given["from"], "development"))
}
