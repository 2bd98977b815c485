package server

import (
	"context"
	"net/http"

	"github.com/ArcadeLabsInc/zvault/internal/vault"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// attempts are the paths by which those who hold key shares do together what nobody may alone. They need no token.
func (s *Server) attempts() map[string]func(http.ResponseWriter, *http.Request) error {
	return map[string]func(http.ResponseWriter, *http.Request) error{
		"sys/generate-root/attempt": s.attempt(rootBody, s.core.RootStatus, func(ctx context.Context, d logical.Data) (*vault.AttemptStatus, error) {
			if d.String("pgp_key") != "" {
				return nil, logical.Invalid("pgp_key is not supported, use an OTP")
			}
			return s.core.RootStart(ctx, d.String("otp"))
		}, s.core.RootCancel),
		"sys/generate-root/update": s.share(rootBody, s.core.RootUpdate),
		"sys/rekey/init": s.attempt(rekeyBody, s.core.RekeyStatus, func(ctx context.Context, d logical.Data) (*vault.AttemptStatus, error) {
			if len(d.Strings("pgp_keys")) > 0 || d.Bool("backup") {
				return nil, logical.Invalid("pgp_keys and backup are not supported")
			}
			return s.core.RekeyStart(ctx, d.Int("secret_shares"), d.Int("secret_threshold"), d.Bool("require_verification"))
		}, s.core.RekeyCancel),
		"sys/rekey/update": s.share(rekeyBody, s.core.RekeyUpdate),
		"sys/rekey/verify": s.verify,
	}
}

type render func(*vault.AttemptStatus) map[string]any

// attempt serves the path that shows, begins and cancels an attempt.
func (s *Server) attempt(body render, status func(context.Context) (*vault.AttemptStatus, error),
	start func(context.Context, logical.Data) (*vault.AttemptStatus, error), cancel func(),
) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		if s.core.Sealed() {
			return vault.ErrSealed
		}
		var got *vault.AttemptStatus
		var err error
		switch r.Method {
		case http.MethodGet:
			got, err = status(r.Context())
		case http.MethodPut, http.MethodPost:
			var raw map[string]any
			if raw, err = readBody(w, r); err == nil {
				got, err = start(r.Context(), logical.NewData(raw))
			}
		case http.MethodDelete:
			cancel()
			write(w, &vault.Reply{Status: http.StatusNoContent})
			return nil
		default:
			return errMethod
		}
		if err != nil {
			return err
		}
		respond(w, http.StatusOK, body(got))
		return nil
	}
}

// share serves the path that takes a share.
func (s *Server) share(body render, update func(context.Context, string, string) (*vault.AttemptStatus, error)) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		if r.Method != http.MethodPut && r.Method != http.MethodPost {
			return errMethod
		}
		if !s.unsealLimit.allow(s.clock()) {
			w.Header().Set("Retry-After", "1")
			return logical.Fail(http.StatusTooManyRequests, "too many attempts, wait a second")
		}
		raw, err := readBody(w, r)
		if err != nil {
			return err
		}
		d := logical.NewData(raw)
		if d.String("key") == "" {
			return logical.Invalid("'key' must be specified in request body as JSON")
		}
		got, err := update(r.Context(), d.String("nonce"), d.String("key"))
		if err != nil {
			return err
		}
		respond(w, http.StatusOK, body(got))
		return nil
	}
}

func rootBody(a *vault.AttemptStatus) map[string]any {
	return map[string]any{
		"started": a.Started, "nonce": a.Nonce, "progress": a.Progress, "required": a.Required, "complete": a.Complete, "otp": a.OTP,
		"otp_length": vault.OTPLength(), "encoded_token": a.EncodedToken, "encoded_root_token": a.EncodedToken, "pgp_fingerprint": "",
	}
}

func rekeyBody(a *vault.AttemptStatus) map[string]any {
	body := map[string]any{
		"started": a.Started, "nonce": a.Nonce, "t": a.NewThreshold, "n": a.NewShares, "progress": a.Progress, "required": a.Required,
		"pgp_fingerprints": nil, "backup": false, "verification_required": a.Verify, "complete": a.Complete,
	}
	if a.Keys != nil {
		body["keys"], body["keys_base64"] = a.Keys, base64All(a.Keys)
	}
	if a.VerificationNonce != "" {
		body["verification_nonce"] = a.VerificationNonce
	}
	return body
}

func verifyBody(a *vault.AttemptStatus) map[string]any {
	return map[string]any{
		"started": a.VerificationNonce != "", "nonce": a.VerificationNonce, "t": a.NewThreshold, "n": a.NewShares, "progress": a.VerifyProgress, "complete": a.Complete,
	}
}

// verify serves sys/rekey/verify.
func (s *Server) verify(w http.ResponseWriter, r *http.Request) error {
	switch r.Method {
	case http.MethodGet:
		got, err := s.core.RekeyStatus(r.Context())
		if err != nil {
			return err
		}
		respond(w, http.StatusOK, verifyBody(got))
		return nil
	case http.MethodDelete:
		s.core.RekeyVerifyCancel()
		write(w, &vault.Reply{Status: http.StatusNoContent})
		return nil
	}
	return s.share(verifyBody, s.core.RekeyVerify)(w, r)
}
