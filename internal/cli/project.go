package cli

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/platform"
)

func (a *app) projectCommand() *cobra.Command {
	c := group("project", "List, create, rename and delete projects", "",
		a.projectListCommand(), a.projectCreateCommand(), a.projectRenameCommand(), a.projectDeleteCommand(), a.projectRestoreCommand())
	c.Aliases = []string{"projects"}
	return c
}

func (a *app) projectListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List the projects", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			all, err := s.Projects(cmd.Context(), a.caller())
			if err != nil {
				return err
			}
			if a.json {
				return a.document(nonNil(all))
			}
			rows := make([][]string, len(all))
			for i, p := range all {
				rows[i] = []string{p.Slug, stamp(p.CreatedAt)}
			}
			return a.table([]string{"PROJECT", "CREATED"}, rows)
		},
	}
}

func (a *app) projectCreateCommand() *cobra.Command {
	return &cobra.Command{
		Use: "create NAME", Short: "Create a project with the environments development, staging and production", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			p, err := s.CreateProject(cmd.Context(), a.caller(), args[0], "")
			if err != nil {
				return err
			}
			if a.json {
				return a.document(p)
			}
			a.say("created project %s", p.Slug)
			return nil
		},
	}
}

func (a *app) projectRenameCommand() *cobra.Command {
	return &cobra.Command{
		Use: "rename OLD NEW", Short: "Rename a project; references to the old name must be changed by you", Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			if err := s.RenameProject(cmd.Context(), a.caller(), args[0], args[1]); err != nil {
				return err
			}
			a.say("project %s is now %s", args[0], args[1])
			return nil
		},
	}
}

func (a *app) projectDeleteCommand() *cobra.Command {
	return &cobra.Command{
		Use: "delete NAME", Short: "Delete a project; project restore brings it back", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			envs, err := s.Environments(cmd.Context(), a.caller(), args[0])
			if err != nil {
				return err
			}
			ok, err := a.confirm("delete project " + args[0] + " with " + count(secretsIn(envs), "secret") + "?")
			if err != nil || !ok {
				return err
			}
			if err := s.DeleteProject(cmd.Context(), a.caller(), args[0]); err != nil {
				return err
			}
			a.say("deleted project %s; `zvault project restore %s` brings it back", args[0], args[0])
			return nil
		},
	}
}

func secretsIn(envs []platform.Environment) int {
	n := 0
	for _, e := range envs {
		n += e.Secrets
	}
	return n
}

// count prints a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

func (a *app) projectRestoreCommand() *cobra.Command {
	return &cobra.Command{
		Use: "restore NAME", Short: "Bring back a deleted project", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			if err := s.RestoreProject(cmd.Context(), a.caller(), args[0]); err != nil {
				return err
			}
			a.say("restored project %s", args[0])
			return nil
		},
	}
}
