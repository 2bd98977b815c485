package platform

import (
	"context"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/sqlstore"
)

// Hit is a secret that a search found, and in which of its parts: name, comment or tag.
type Hit struct {
	Project string `json:"project"`
	Env     string `json:"env"`
	Secret
	In string `json:"in"`
}

// Search finds the secrets whose name, comment or tags contain every word of the query, in any case. A word of the form
// key:value or key=value also finds a tag. An empty project searches all of them.
func (s *Service) Search(ctx context.Context, c Caller, project, query string) ([]Hit, error) {
	if err := s.permit(ctx, c, actSearch, target{project: project}); err != nil {
		return nil, err
	}
	words := strings.Fields(strings.ToLower(query))
	if len(words) == 0 {
		return nil, invalid("nothing to search for")
	}
	var hits []Hit
	err := s.store.View(ctx, func(tx *sqlstore.Tx) error {
		hits = nil
		projects, err := s.searched(ctx, tx, project)
		if err != nil {
			return err
		}
		for _, p := range projects {
			found, err := s.searchProject(ctx, tx, c, p, words)
			if err != nil {
				return err
			}
			hits = append(hits, found...)
		}
		return nil
	})
	return hits, failure("searching", err)
}

func (s *Service) searched(ctx context.Context, tx *sqlstore.Tx, project string) ([]sqlstore.Project, error) {
	if project == "" {
		return tx.Projects(ctx, s.org.ID)
	}
	p, err := s.project(ctx, tx, project)
	return []sqlstore.Project{p}, err
}

func (s *Service) searchProject(ctx context.Context, tx *sqlstore.Tx, c Caller, p sqlstore.Project, words []string) ([]Hit, error) {
	envs, err := tx.Environments(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	var hits []Hit
	for _, e := range envs {
		if e.Owner != "" && e.Owner != c.Actor.ID {
			continue
		}
		b, err := s.openingBox(ctx, tx, e)
		if err != nil {
			return nil, err
		}
		states, err := statesAt(ctx, tx, e, Moment{})
		if err != nil {
			return nil, err
		}
		described, err := b.describe(states)
		if err != nil {
			return nil, err
		}
		for _, d := range described {
			if in := matches(d, words); in != "" {
				hits = append(hits, Hit{Project: p.Slug, Env: e.Slug, Secret: d, In: in})
			}
		}
	}
	return hits, nil
}

// matches says where the first word was found, if all of them were.
func matches(d Secret, words []string) string {
	first := ""
	for _, w := range words {
		in := matchWord(d, w)
		if in == "" {
			return ""
		}
		if first == "" {
			first = in
		}
	}
	return first
}

func matchWord(d Secret, word string) string {
	if strings.Contains(strings.ToLower(d.Name), word) {
		return "name"
	}
	if strings.Contains(strings.ToLower(d.Comment), word) {
		return "comment"
	}
	for k, v := range d.Tags {
		tag := strings.ToLower(k + ":" + v)
		if strings.Contains(tag, word) || strings.Contains(tag, strings.Replace(word, "=", ":", 1)) {
			return "tag"
		}
	}
	return ""
}
