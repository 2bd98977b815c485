package transit

import (
	"encoding/base64"
	"encoding/pem"
	"strconv"
	"strings"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// describe answers with what may be known of a key, unless err. With a context, a derived Ed25519 key shows the public keys
// of that context.
func describe(k *key, context []byte, err error) (*logical.Response, error) {
	if err != nil {
		return nil, err
	}
	data := map[string]any{
		"name": k.Name, "type": k.Type.String(), "derived": k.Derived, "deletion_allowed": k.DeletionAllowed,
		"min_available_version": k.MinAvailableVersion, "min_decryption_version": k.MinDecryptionVersion,
		"min_encryption_version": k.MinEncryptionVersion, "latest_version": k.LatestVersion, "exportable": k.Exportable,
		"allow_plaintext_backup": k.AllowPlaintextBackup, "supports_encryption": k.Type.encrypts(),
		"supports_decryption": k.Type.encrypts(), "supports_signing": k.Type.signs(), "supports_derivation": k.Type.derives(),
		"auto_rotate_period": int64(k.AutoRotatePeriod.Seconds()), "imported_key": k.Imported, "soft_deleted": k.SoftDeleted,
	}
	if k.KeySize != 0 {
		data["key_size"] = k.KeySize
	}
	if k.Imported {
		data["imported_key_allow_rotation"] = k.AllowRotation
	}
	for name, m := range map[string]*moment{"backup_info": k.Backup, "restore_info": k.Restore} {
		if m != nil {
			data[name] = map[string]any{"time": stamp(m.Time), "version": m.Version}
		}
	}
	k.describeDerivation(data)
	if k.Type != hmacKey {
		if data["keys"], err = k.describeVersions(context); err != nil {
			return nil, err
		}
	}
	return &logical.Response{Data: data}, nil
}

func (k *key) describeDerivation(data map[string]any) {
	if !k.Derived {
		return
	}
	switch k.KDF {
	case kdfHKDF:
		data["kdf"] = "hkdf_sha256"
	case kdfCounter:
		data["kdf"], data["kdf_mode"] = "hmac-sha256-counter", "hmac-sha256-counter"
	}
	data["convergent_encryption"] = k.Convergent
	if k.Convergent {
		data["convergent_encryption_version"] = k.ConvergentVersion
	}
}

func (k *key) describeVersions(context []byte) (map[string]any, error) {
	out := make(map[string]any, len(k.Versions))
	for number, v := range k.Versions {
		if k.Type.symmetric() {
			out[strconv.Itoa(number)] = v.Created
			continue
		}
		name := k.Type.String()
		if curve := k.Type.curve(); curve != nil {
			name = curve.Params().Name
		}
		public, err := k.publicText(v, context)
		if err != nil {
			return nil, err
		}
		created := v.Time
		if created.IsZero() {
			created = time.Unix(v.Created, 0)
		}
		out[strconv.Itoa(number)] = map[string]any{
			"name": name, "public_key": public, "creation_time": stamp(created), "certificate_chain": v.chainPEM(),
		}
	}
	return out, nil
}

// publicText is a public key as readers get it. The one that derived keys are derived from is never shown.
func (k *key) publicText(v *version, context []byte) (string, error) {
	switch {
	case k.Type.isRSA():
		public, err := v.public()
		if err != nil {
			return "", err
		}
		return publicPEM(public)
	case !k.Derived:
		return v.Public, nil
	case len(context) == 0:
		return "", nil
	}
	public, err := k.publicOf(v, context)
	return base64.StdEncoding.EncodeToString(public), err
}

// chainPEM is the version's certificates, "" if it has none.
func (v *version) chainPEM() string {
	blocks := make([]string, len(v.Certificates))
	for i, der := range v.Certificates {
		blocks[i] = strings.TrimSpace(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	}
	return strings.Join(blocks, "\n")
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
