package cli

import (
	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/ref"
)

func (a *app) envCommand() *cobra.Command {
	c := group("env", "List, create, compare, promote and restore environments",
		"Environments of a project. development, staging and production exist from the start; dev, stage and prod mean the same.",
		a.envListCommand(), a.envCreateCommand(), a.envCloneCommand(), a.envBaseCommand(), a.envDiffCommand(), a.envPromoteCommand(),
		a.envLogCommand(), a.envRestoreCommand(), a.envDeleteCommand(), a.envUndeleteCommand())
	c.Aliases = []string{"envs", "environment"}
	return c
}

// inProject names an environment of the project in force.
func (a *app) inProject(slug string) (platform.Env, error) {
	e, err := a.scope()
	e.Slug = ref.CanonicalEnvironment(slug)
	return e, err
}
