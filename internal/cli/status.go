package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/local"
)

// status is what `zvault status --json` prints.
type status struct {
	Home     string `json:"home"`
	Exists   bool   `json:"exists"`
	Sealed   bool   `json:"sealed"`
	Seal     string `json:"seal,omitempty"`
	Projects int    `json:"projects"`
	Project  string `json:"project,omitempty"`
	Env      string `json:"env,omitempty"`
	Secrets  int    `json:"secrets"`
}

func (a *app) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show the vault and the project in force here", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			home, err := a.home()
			if err != nil {
				return err
			}
			st := status{Home: home, Exists: local.Exists(home)}
			if e, err := a.scope(); err == nil {
				st.Project, st.Env = e.Project, e.Slug
			}
			failed := a.fill(cmd, &st)
			if a.json {
				if err := a.document(st); err != nil {
					return err
				}
			} else if err := a.table(nil, st.rows()); err != nil {
				return err
			}
			return failed
		},
	}
}

// fill adds what only an open vault tells.
func (a *app) fill(cmd *cobra.Command, st *status) error {
	s, err := a.open(cmd.Context())
	if err != nil {
		st.Sealed = errors.Is(err, local.ErrSealed)
		return err
	}
	st.Seal = a.vault.Seal.Type
	projects, err := s.Projects(cmd.Context(), a.caller())
	if err != nil {
		return err
	}
	st.Projects = len(projects)
	for _, p := range projects {
		if p.Slug != st.Project {
			continue
		}
		envs, err := s.Environments(cmd.Context(), a.caller(), p.Slug)
		if err != nil {
			return err
		}
		for _, e := range envs {
			if e.Slug == st.Env && !e.Personal {
				st.Secrets = e.Secrets
			}
		}
	}
	return nil
}

func (st status) rows() [][]string {
	state := "open"
	switch {
	case !st.Exists:
		state = "none yet"
	case st.Sealed:
		state = "sealed"
	}
	rows := [][]string{{"vault", st.Home}, {"state", state}}
	if st.Seal != "" {
		rows = append(rows, []string{"sealed by", st.Seal}, []string{"projects", count(st.Projects, "project")})
	}
	if st.Project != "" {
		rows = append(rows, []string{"here", st.Project + "/" + st.Env + ", " + count(st.Secrets, "secret")})
	}
	return rows
}
