package cli

import (
	"os"

	"github.com/ArcadeLabsInc/zvault/internal/runner"
	"github.com/ArcadeLabsInc/zvault/internal/seal/unsealenv"
)

// passphraseFile names the variable that names a file with the vault's passphrase.
const passphraseFile = "ZVAULT_PASSPHRASE_FILE"

// inherited is the environment of this process without what opens the vault: a program gets the secrets that are meant for it,
// not the key to all. Whoever wants it to have such a variable gives it one, in the vault or in .env.zvault.
func inherited() []string { return runner.Without(os.Environ(), unsealenv.Variable, passphraseFile) }
