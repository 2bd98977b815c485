package server

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/seal"
	"github.com/ArcadeLabsInc/zvault/internal/seal/shares"
	"github.com/ArcadeLabsInc/zvault/internal/vault"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// unsealed answers the paths that must answer whether the vault is sealed or not, and need no token. It reports whether the
// path was one of them.
func (s *Server) unsealed(w http.ResponseWriter, r *http.Request, path string) bool {
	var h func(http.ResponseWriter, *http.Request) error
	switch path {
	case "sys/health":
		h = s.health
	case "sys/seal-status":
		h = s.sealStatus
	case "sys/init":
		h = s.init
	case "sys/unseal":
		h = s.unseal
	case "sys/leader":
		h = s.leader
	default:
		if h = s.ceremonies[path]; h == nil {
			return false
		}
	}
	if err := h(w, r); err != nil {
		var known *logical.Error
		if !errors.As(err, &known) {
			s.log.Error("a request failed", "path", path, "error", err)
			err = logical.Fail(http.StatusServiceUnavailable, "the storage cannot be reached")
		}
		fail(w, err)
	}
	return true
}

var errMethod = &logical.Error{Status: http.StatusMethodNotAllowed}

// health answers load balancers: its status says what state the node is in, and each can be chosen by the query.
func (s *Server) health(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return errMethod
	}
	done, err := s.core.Initialized(r.Context())
	if err != nil {
		return err
	}
	sealed := s.core.Sealed()
	name, status := "activecode", http.StatusOK
	switch {
	case !done:
		name, status = "uninitcode", http.StatusNotImplemented
	case sealed:
		name, status = "sealedcode", http.StatusServiceUnavailable
	}
	if text := r.URL.Query().Get(name); text != "" {
		if status, err = strconv.Atoi(text); err != nil || status < 100 || status > 599 {
			return logical.Invalid("bad status code for %s", name)
		}
	}
	body := map[string]any{
		"initialized": done, "sealed": sealed, "standby": false, "performance_standby": false, "replication_performance_mode": "disabled",
		"replication_dr_mode": "disabled", "server_time_utc": s.clock().Unix(), "version": s.options.Version,
	}
	if err := s.addCluster(r, body); err != nil {
		return err
	}
	respond(w, status, body)
	return nil
}

func (s *Server) addCluster(r *http.Request, body map[string]any) error {
	if s.core.Sealed() {
		return nil
	}
	info, err := s.core.Info(r.Context())
	if err != nil || info == nil {
		return err
	}
	body["cluster_name"], body["cluster_id"] = info.ClusterName, info.ClusterID
	return nil
}

func (s *Server) sealStatus(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet {
		return errMethod
	}
	return s.tellSeal(w, r)
}

func (s *Server) tellSeal(w http.ResponseWriter, r *http.Request) error {
	record, err := s.core.SealRecord(r.Context())
	none := errors.Is(err, seal.ErrNoSeal)
	if err != nil && !none {
		return err
	}
	progress := s.core.UnsealProgress()
	body := map[string]any{
		"type": "shamir", "initialized": !none, "sealed": s.core.Sealed(), "t": 0, "n": 0, "progress": progress.Given, "nonce": progress.Nonce,
		"version": s.options.Version, "build_date": s.options.BuildDate, "migration": false, "recovery_seal": false,
		"storage_type": s.options.StorageType,
	}
	if record != nil {
		body["type"], body["recovery_seal"] = record.Type, record.Type != shares.Type
		if record.Type == shares.Type {
			c, err := shares.Read(record.Blob)
			if err != nil {
				return err
			}
			body["t"], body["n"] = c.Threshold, c.Shares
		}
	}
	if err := s.addCluster(r, body); err != nil {
		return err
	}
	respond(w, http.StatusOK, body)
	return nil
}

func (s *Server) init(w http.ResponseWriter, r *http.Request) error {
	done, err := s.core.Initialized(r.Context())
	if err != nil {
		return err
	}
	switch r.Method {
	case http.MethodGet:
		respond(w, http.StatusOK, map[string]any{"initialized": done})
		return nil
	case http.MethodPut, http.MethodPost:
	default:
		return errMethod
	}
	raw, err := readBody(w, r)
	if err != nil {
		return err
	}
	d := logical.NewData(raw)
	n, t := d.Int("secret_shares"), d.Int("secret_threshold")
	if s.options.AutoUnseal {
		n, t = d.Int("recovery_shares"), d.Int("recovery_threshold")
	} else if n < 1 || t < 1 || t > n || n > 255 || n > 1 && t == 1 {
		return logical.Invalid("invalid shares or threshold: %d of %d; both must be at least 1, and the threshold at least 2 of several shares", t, n)
	}
	result, err := s.core.Init(r.Context(), n, t)
	if err != nil {
		return err
	}
	s.log.Info("the vault was initialized")
	body := map[string]any{"root_token": result.RootToken}
	hexed, based := result.Shares, base64All(result.Shares)
	if result.Recovery {
		body["keys"], body["keys_base64"] = []string{}, []string{}
		body["recovery_keys"], body["recovery_keys_base64"] = hexed, based
	} else {
		body["keys"], body["keys_base64"] = hexed, based
	}
	respond(w, http.StatusOK, body)
	return nil
}

func (s *Server) unseal(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodPut && r.Method != http.MethodPost {
		return errMethod
	}
	if !s.unsealLimit.allow(s.clock()) {
		w.Header().Set("Retry-After", "1")
		return logical.Fail(http.StatusTooManyRequests, "too many attempts to unseal, wait a second")
	}
	raw, err := readBody(w, r)
	if err != nil {
		return err
	}
	d := logical.NewData(raw)
	switch {
	case d.Bool("reset"):
		s.core.UnsealReset()
	case d.String("key") == "":
		return logical.Invalid("'key' must be specified in request body as JSON, or 'reset' set to true")
	default:
		if err := s.core.Unseal(r.Context(), d.String("key")); err != nil {
			return err
		}
	}
	return s.tellSeal(w, r)
}

func (s *Server) leader(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet {
		return errMethod
	}
	if s.core.Sealed() {
		return vault.ErrSealed
	}
	respond(w, http.StatusOK, map[string]any{
		"ha_enabled": s.options.Shared, "is_self": s.options.Shared, "active_time": time.Time{}, "leader_address": s.options.PublicAddress,
		"leader_cluster_address": "", "performance_standby": false,
	})
	return nil
}
