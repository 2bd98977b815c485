package platform_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

func values(m *platform.Masking) []string {
	var out []string
	for _, v := range m.Values {
		out = append(out, v.Name+"="+string(v.Value.Reveal()))
	}
	slices.Sort(out)
	return out
}

func put(t *testing.T, k *kit, e platform.Env, name, value string) {
	t.Helper()
	v := secret.Of(value)
	_, err := k.Apply(t.Context(), owner, e, platform.Batch{Changes: []platform.Change{{Name: name, Value: &v}}})
	check(t, err)
}

func masks(k *kit) int {
	n := 0
	for _, e := range k.log.entries {
		if e.Action == "secret.mask" {
			n++
		}
	}
	return n
}

func TestService_Masking(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, k *kit) {
		ctx := t.Context()
		for _, p := range []string{"shop", "db", "other"} {
			_, err := k.CreateProject(ctx, owner, p, "")
			check(t, err)
		}
		dev, prod := platform.Env{Project: "shop", Slug: "development"}, platform.Env{Project: "shop", Slug: "production"}
		put(t, k, dev, "KEY", "first-of-key")
		put(t, k, dev, "KEY", "second-of-key")
		put(t, k, prod, "KEY", "key-of-production")
		put(t, k, platform.Env{Project: "shop", Slug: "development", Personal: true}, "KEY", "key-of-ada")
		put(t, k, prod, "URL", "postgres://app:${zvault://db/PASSWORD}@host")
		put(t, k, platform.Env{Project: "db", Slug: "production"}, "PASSWORD", "password-of-db")
		put(t, k, platform.Env{Project: "other", Slug: "production"}, "ELSE", "nobody-refers-to-me")

		m, err := k.Masking(ctx, owner, "shop", nil)
		check(t, err)
		want := []string{
			"KEY=first-of-key", "KEY=key-of-ada", "KEY=key-of-production", "KEY=second-of-key", "PASSWORD=password-of-db",
			"URL=postgres://app:${zvault://db/PASSWORD}@host",
		}
		if diff := cmp.Diff(want, values(m)); diff != "" {
			t.Errorf("values (-want +got):\n%s", diff)
		}
		if masks(k) != 1 {
			t.Errorf("%d entries, want one for what was read", masks(k))
		}
		again, err := k.Masking(ctx, owner, "shop", m)
		check(t, err)
		if again != m || masks(k) != 1 {
			t.Error("nothing had changed, and yet it was read again")
		}
		put(t, k, platform.Env{Project: "other", Slug: "production"}, "MORE", "of-no-concern")
		again, err = k.Masking(ctx, owner, "shop", m)
		check(t, err)
		if masks(k) != 1 || len(again.Values) != len(m.Values) {
			t.Error("a change in another project made it read again")
		}
		put(t, k, platform.Env{Project: "db", Slug: "production"}, "PASSWORD", "new-password-of-db")
		again, err = k.Masking(ctx, owner, "shop", again)
		check(t, err)
		if !slices.Contains(values(again), "PASSWORD=new-password-of-db") || masks(k) != 2 {
			t.Errorf("a change in a project that is referred to was missed: %v, %d entries", values(again), masks(k))
		}
		all, err := k.Masking(ctx, owner, "no-such-project", nil)
		check(t, err)
		if !slices.Contains(values(all), "ELSE=nobody-refers-to-me") {
			t.Error("without a project, not all are masked")
		}
		if _, err := k.Masking(ctx, platform.Caller{}, "shop", nil); platform.KindOf(err) != platform.Denied {
			t.Errorf("nobody in particular: %v, want Denied", err)
		}
		k.log.refuse = true
		if _, err := k.Masking(ctx, owner, "shop", nil); platform.KindOf(err) != platform.Unavailable {
			t.Errorf("with a log that refuses: %v, want Unavailable", err)
		}
	})
}

func TestService_Use(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, k *kit) {
		ctx := t.Context()
		_, err := k.CreateProject(ctx, owner, "shop", "")
		check(t, err)
		e := platform.Env{Project: "shop", Slug: "development"}
		put(t, k, e, "PASSWORD", "a-password")
		put(t, k, e, "URL", "postgres://app:${zvault://PASSWORD}@host")
		got, err := k.Use(ctx, owner, e, []string{"URL"}, "query_database")
		check(t, err)
		if v := got["URL"]; string(v.Reveal()) != "postgres://app:a-password@host" {
			t.Error("the reference was not resolved")
		}
		last := k.log.last()
		if last.Action != "secret.use" || last.Reason != "tool query_database" || !slices.Equal(last.Keys, []string{"PASSWORD", "URL"}) {
			t.Errorf("entry: %+v", last)
		}
		if _, err := k.Use(ctx, owner, e, []string{"NONE"}, "x"); platform.KindOf(err) != platform.NotFound {
			t.Errorf("a name that is not set: %v", err)
		}
		check(t, k.RecordCall(ctx, owner, e, "set_secret", []string{"URL"}, "ok"))
		if last := k.log.last(); last.Action != "tool.call" || last.Reason != "tool set_secret" {
			t.Errorf("entry: %+v", last)
		}
		k.log.refuse = true
		if _, err := k.Use(ctx, owner, e, []string{"URL"}, "x"); platform.KindOf(err) != platform.Unavailable {
			t.Errorf("with a log that refuses: %v", err)
		}
	})
}
