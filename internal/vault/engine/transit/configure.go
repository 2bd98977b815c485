package transit

import (
	"context"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func configRoute() *logical.Route {
	return &logical.Route{
		Pattern: "keys/:name/config",
		Fields: []logical.Field{
			nameField,
			{Name: "min_decryption_version", Type: logical.Int, Help: "The oldest version to decrypt and verify with."},
			{Name: "min_encryption_version", Type: logical.Int, Help: "The oldest version to encrypt and sign with; 0: only the latest unless asked for another."},
			{Name: "deletion_allowed", Type: logical.Bool, Help: "Whether the key may be deleted."},
			{Name: "exportable", Type: logical.Bool, Help: "Whether the key may leave the engine; cannot be taken back."},
			{Name: "allow_plaintext_backup", Type: logical.Bool, Help: "Whether the key may be backed up; cannot be taken back."},
			{Name: "auto_rotate_period", Type: logical.Seconds, Help: "How old the latest version may get before the key is rotated; 0: any age."},
		},
		Ops:      map[logical.Operation]logical.Handler{logical.Update: configureKey},
		Synopsis: "Configure a key",
	}
}

func configureKey(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	var warnings []string
	k, err := change(ctx, r, logical.Invalid("no existing key named %s could be found", r.Params.Get("name")),
		func(k *key) (bool, error) {
			before := *k
			warnings = nil
			if err := k.setMinimums(r.Data, &warnings); err != nil {
				return false, err
			}
			if err := k.setFlags(r.Data); err != nil {
				return false, err
			}
			if !k.configDiffers(&before) {
				return false, nil
			}
			switch {
			case k.MinAvailableVersion > k.MinEncryptionVersion:
				return false, logical.Invalid("min encryption version should not be less than min available version")
			case k.MinAvailableVersion > k.MinDecryptionVersion:
				return false, logical.Invalid("min decryption version should not be less then min available version")
			}
			return true, nil
		})
	response, err := describe(k, nil, err)
	if response != nil {
		response.Warnings = warnings
	}
	return response, err
}

func (k *key) configDiffers(before *key) bool {
	return k.MinDecryptionVersion != before.MinDecryptionVersion || k.MinEncryptionVersion != before.MinEncryptionVersion ||
		k.DeletionAllowed != before.DeletionAllowed || k.Exportable != before.Exportable ||
		k.AllowPlaintextBackup != before.AllowPlaintextBackup || k.AutoRotatePeriod != before.AutoRotatePeriod
}

func (k *key) setMinimums(d logical.Data, warnings *[]string) error {
	if d.Has("min_decryption_version") {
		n := d.Int("min_decryption_version")
		if n < 0 {
			return logical.Invalid("min decryption version cannot be negative")
		}
		if n == 0 {
			n = 1
			*warnings = append(*warnings, "since Vault 0.3 (prior to the OpenBao fork), transit key numbering starts at 1; forcing minimum to 1")
		}
		if n > k.LatestVersion {
			return logical.Invalid("cannot set min decryption version of %d, latest key version is %d", n, k.LatestVersion)
		}
		k.MinDecryptionVersion = n
	}
	if d.Has("min_encryption_version") {
		n := d.Int("min_encryption_version")
		if n < 0 {
			return logical.Invalid("min encryption version cannot be negative")
		}
		if n > k.LatestVersion {
			return logical.Invalid("cannot set min encryption version of %d, latest key version is %d", n, k.LatestVersion)
		}
		k.MinEncryptionVersion = n
	}
	if k.MinEncryptionVersion > 0 && k.MinEncryptionVersion < k.MinDecryptionVersion {
		return logical.Invalid("cannot set min encryption/decryption values; min encryption version of %d must be greater than or equal to "+
			"min decryption version of %d", k.MinEncryptionVersion, k.MinDecryptionVersion)
	}
	return nil
}

func (k *key) setFlags(d logical.Data) error {
	if d.Has("deletion_allowed") {
		k.DeletionAllowed = d.Bool("deletion_allowed")
	}
	k.Exportable = k.Exportable || d.Bool("exportable")
	k.AllowPlaintextBackup = k.AllowPlaintextBackup || d.Bool("allow_plaintext_backup")
	if !d.Has("auto_rotate_period") {
		return nil
	}
	var err error
	k.AutoRotatePeriod, err = period(d)
	return err
}
