package sandbox

import (
	"path/filepath"
	"strings"
)

// EnvFiles are the patterns of [Options.HideFiles] for the files that hold a project's secrets. Samples, schemas and
// ZVault's own files, which hold references only, stay readable.
func EnvFiles() []string {
	return []string{".env", ".env.*", ".envrc", "!.env.example", "!.env.*.example", "!.env.sample", "!.env.template", "!.env.dist", "!.env.schema", "!.env.zvault"}
}

// Credentials lists where programs of this user keep credentials and shells keep histories, below home and where the
// environment names a file: for [Options.Hide]. The list is a start; add the vault's home if it lies elsewhere.
func Credentials(home string, getenv func(string) string) []string {
	config, data := filepath.Join(home, ".config"), filepath.Join(home, ".local", "share")
	if d := getenv("XDG_CONFIG_HOME"); filepath.IsAbs(d) {
		config = d
	}
	if d := getenv("XDG_DATA_HOME"); filepath.IsAbs(d) {
		data = d
	}
	var paths []string
	for _, group := range []struct {
		root  string
		names string
	}{{home, inHome}, {config, inConfig}, {data, inData}} {
		for _, name := range strings.Fields(group.names) {
			name = strings.ReplaceAll(filepath.FromSlash(name), "+", " ")
			paths = append(paths, filepath.Join(group.root, name))
		}
	}
	for _, name := range strings.Fields(inVariables) {
		for _, p := range filepath.SplitList(getenv(name)) {
			if filepath.IsAbs(p) {
				paths = append(paths, p)
			}
		}
	}
	return append(paths, busSockets(getenv("DBUS_SESSION_BUS_ADDRESS"))...)
}

// Paths below the home directory; + stands for a space.
const inHome = `.zvault .aws .azure .docker .kube .ssh .gnupg .netrc _netrc .git-credentials .npmrc .yarnrc.yml .pypirc
	.cargo/credentials .cargo/credentials.toml .gem/credentials .m2/settings.xml .m2/settings-security.xml
	.gradle/gradle.properties .terraformrc .terraform.d .vault-token .bao-token .password-store .1password .fly .pgpass
	.my.cnf .mylogin.cnf .s3cfg .boto .databrickscfg .snowsql .kaggle .huggingface .cache/huggingface/token .age .oci
	.mozilla .thunderbird .bash_history .zsh_history .histfile .sh_history .python_history .node_repl_history .psql_history
	.mysql_history .rediscli_history .sqlite_history .irb_history .lesshst .viminfo Library/Keychains Library/Cookies
	Library/Safari Library/Application+Support/Google/Chrome Library/Application+Support/Firefox`

// Paths below the configuration directory; + stands for a space.
const inConfig = `gcloud gh hub glab-cli git/credentials op rclone doctl heroku stripe containers/auth.json configstore
	age sops Bitwarden Bitwarden+CLI 1Password google-chrome chromium BraveSoftware github-copilot hcloud pypoetry/auth.toml
	composer/auth.json keybase`

// Paths below the data directory.
const inData = `keyrings kwalletd fish/fish_history keybase pypoetry/auth.toml powershell/PSReadLine`

// Variables that name such files.
const inVariables = `ZVAULT_HOME AWS_SHARED_CREDENTIALS_FILE AWS_CONFIG_FILE GOOGLE_APPLICATION_CREDENTIALS KUBECONFIG
	DOCKER_CONFIG GNUPGHOME SSH_AUTH_SOCK HISTFILE NETRC CARGO_REGISTRIES_CREDENTIALS SOPS_AGE_KEY_FILE PGPASSFILE`

// busSockets returns the sockets in the address of a D-Bus: entries with semicolons between, of keys with commas between.
func busSockets(address string) []string {
	var paths []string
	for entry := range strings.SplitSeq(address, ";") {
		rest, ok := strings.CutPrefix(entry, "unix:")
		if !ok {
			continue
		}
		for pair := range strings.SplitSeq(rest, ",") {
			if p, ok := strings.CutPrefix(pair, "path="); ok && filepath.IsAbs(p) {
				paths = append(paths, p)
			}
		}
	}
	return paths
}
