package idtoken

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// sign makes a token for whoever asks.
func (i issuer) sign(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	name := r.Params.Get("name")
	role, err := loadRole(ctx, r)
	if err != nil {
		return nil, err
	}
	if role == nil {
		return nil, logical.Invalid("role %q not found", name)
	}
	k, err := loadKey(ctx, r, role.Key)
	switch {
	case err != nil:
		return nil, err
	case k == nil:
		return nil, logical.Invalid("key %q not found", role.Key)
	case !slices.Contains(k.Allowed, "*") && !slices.Contains(k.Allowed, role.ClientID):
		return nil, logical.Invalid("the key %q does not list the client ID of the role %q as an allowed client ID", role.Key, name)
	case r.Token.EntityID == "":
		return nil, logical.Invalid("no entity associated with the request's token")
	}
	p, err := i.people.Person(ctx, r.Storage, r.Token.EntityID)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return nil, logical.ErrPermissionDenied
	}
	claims, err := role.claims(ctx, r, p, min(role.TTL, k.TTL))
	if err != nil {
		return nil, err
	}
	pair := k.pair(k.Signing)
	if pair == nil {
		return nil, fmt.Errorf("signing an identity token: key %q has no pair that signs", role.Key)
	}
	token, err := pair.sign(claims)
	if err != nil {
		return nil, fmt.Errorf("signing an identity token: %w", err)
	}
	return &logical.Response{Data: map[string]any{"token": token, "client_id": role.ClientID, "ttl": int64(role.TTL / time.Second)}}, nil
}

// claims is what a token says. A template that was good when the role was written and is not now adds nothing.
func (role *Role) claims(ctx context.Context, r *logical.Request, p *Person, ttl time.Duration) ([]byte, error) {
	_, iss, err := issuerOf(ctx, r.Storage)
	if err != nil {
		return nil, err
	}
	claims := map[string]any{}
	if role.Template != "" {
		raw, err := fill(role.Template, p, r.Time)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(raw, &claims); err != nil {
			return nil, fmt.Errorf("filling the template of an identity token: %w", err)
		}
	}
	for name, v := range map[string]any{
		"iss": iss, "namespace": "root", "sub": p.ID, "aud": role.ClientID, "exp": r.Time.Add(ttl).Unix(), "iat": r.Time.Unix(),
	} {
		claims[name] = v
	}
	return json.Marshal(claims)
}

// introspect tells whether a token is good, and if not, why.
func (i issuer) introspect(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	problem, err := i.judge(ctx, r)
	if err != nil {
		return nil, err
	}
	answer := map[string]any{"active": problem == ""}
	if problem != "" {
		answer["error"] = problem
	}
	return plain(answer)
}

// judge says what is wrong with a token, nothing if it is good.
func (i issuer) judge(ctx context.Context, r *logical.Request) (string, error) {
	head, raw, signed, signature, err := split(r.Data.String("token"))
	if err != nil {
		return "error parsing token: " + err.Error(), nil //nolint:nilerr // it is what is wrong with the token
	}
	pairs, err := shown(ctx, r)
	if err != nil {
		return "", err
	}
	n := slices.IndexFunc(pairs, func(p Pair) bool { return p.ID == head.KeyID && p.Algorithm == head.Algorithm })
	if n < 0 || !pairs[n].verify(signed, signature) {
		return "unable to validate the token signature", nil
	}
	var claims struct {
		Issuer   string `json:"iss"`
		Subject  string `json:"sub"`
		Audience string `json:"aud"`
		Expiry   int64  `json:"exp"`
	}
	if err := json.Unmarshal(raw, &claims); err != nil {
		return "error validating claims: not as they are signed here", nil //nolint:nilerr // as above
	}
	_, iss, err := issuerOf(ctx, r.Storage)
	if err != nil {
		return "", err
	}
	client := r.Data.String("client_id")
	switch {
	case claims.Issuer != iss:
		return "error validating claims: validation failed, invalid issuer claim (iss)", nil
	case client != "" && claims.Audience != client:
		return "error validating claims: validation failed, invalid audience claim (aud)", nil
	case r.Time.Unix() >= claims.Expiry:
		return "error validating claims: validation failed, token is expired (exp)", nil
	}
	p, err := i.people.Person(ctx, r.Storage, claims.Subject)
	switch {
	case err != nil:
		return "", err
	case p == nil:
		return "entity was not found", nil
	case p.Disabled:
		return "entity is disabled", nil
	}
	return "", nil
}

// shown are the pairs whose public keys count.
func shown(ctx context.Context, r *logical.Request) ([]Pair, error) {
	names, err := r.Storage.List(ctx, keyFolder, "", 0)
	if err != nil {
		return nil, err
	}
	var pairs []Pair
	for _, name := range names {
		k, err := logical.Load[Key](ctx, r.Storage, keyFolder+name)
		if err != nil {
			return nil, err
		}
		if k == nil {
			continue
		}
		for _, p := range k.Ring {
			if !p.expired(r.Time) {
				pairs = append(pairs, p)
			}
		}
	}
	return pairs, nil
}

// keysAge is for how long others may keep the public keys: no longer than the shortest time in which a key can change.
const keysAge = time.Minute

func publicKeys(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	pairs, err := shown(ctx, r)
	if err != nil {
		return nil, err
	}
	keys := make([]jwk, len(pairs))
	for i := range pairs {
		if keys[i], err = pairs[i].jwk(); err != nil {
			return nil, fmt.Errorf("showing a public key: %w", err)
		}
	}
	resp, err := plain(map[string]any{"keys": keys})
	if err == nil && len(keys) > 0 {
		resp.Header = map[string]string{"Cache-Control": "max-age=" + strconv.Itoa(int(keysAge/time.Second))}
	}
	return resp, err
}

func discovery(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	_, iss, err := issuerOf(ctx, r.Storage)
	if err != nil {
		return nil, err
	}
	return plain(map[string]any{
		"issuer": iss, "jwks_uri": iss + "/.well-known/keys", "response_types_supported": []string{"id_token"},
		"subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": algorithms(),
	})
}

// plain answers with JSON that has nothing of Vault's around it.
func plain(v any) (*logical.Response, error) {
	raw, err := json.Marshal(v)
	return &logical.Response{Status: http.StatusOK, Raw: raw, ContentType: "application/json"}, err
}
