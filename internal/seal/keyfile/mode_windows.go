package keyfile

// checkMode has nothing to check: the vault's directory lies in the user's profile, which other users cannot read.
func checkMode(string) error { return nil }

// syncDir does nothing: NTFS journals names.
func syncDir(string) error { return nil }
