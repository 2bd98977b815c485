// Package archtest checks what ARCHITECTURE.md promises and no compiler does: which way imports point, that the leaves do
// no I/O, that test helpers stay out of the product, how packages are named, and under which licences the libraries are.
// It runs as a test. The rules are the data in this file; a new package is one word in [Layers].
package archtest

// Module is the path of the module that is checked.
const Module = "github.com/ArcadeLabsInc/zvault"

// A Layer is a set of packages that may import any layer below it, and nothing beside or above it. A package stands for
// everything below its folder.
type Layer struct {
	Name     string
	Packages []string
}

// Layers is the order of the packages, from the top to the bottom.
var Layers = []Layer{
	{"main", []string{"cmd/zvault"}},
	{"faces", []string{"internal/cli"}},
	{"judging", []string{"internal/redteam"}},
	{"serving", []string{"internal/server", "internal/mcp", "internal/shield"}},
	{"home", []string{"internal/local", "internal/runner", "internal/scan", "internal/assistant", "internal/broker"}},
	{"jail", []string{"internal/sandbox"}},
	{"platform", []string{"internal/platform", "internal/vault"}},
	{"grants", []string{"internal/grant"}},
	{"gates", []string{"internal/resolve", "internal/audit", "internal/seal", "internal/barrier", "internal/policy"}},
	{"bytes", []string{"internal/storage", "internal/sqlstore"}},
	{"files", []string{"internal/sqldb", "internal/workspace", "internal/vaultclient", "internal/egress"}},
	{leaves, []string{"internal/crypt", "internal/dotenv", "internal/ref", "internal/redact", "internal/sigv4", "internal/metrics"}},
	{ground, []string{"internal/secret", "internal/nearest", "internal/version"}},
}

// Names of the layers whose packages do no I/O and use no library but the standard one and x/crypto.
const (
	leaves = "leaves"
	ground = "ground"
)

// impure lists packages of those layers that must talk to the system all the same.
var impure = []string{"internal/crypt/lockedmem"}

// tools are packages beside the product: they import nothing of ours, and nothing imports them.
var tools = []string{".", "bench", "internal/archtest"}

// helpers serve tests. They may import what they test, and only tests and other helpers import them.
var helpers = []string{
	"internal/testpg", "internal/storage/storagetest", "internal/server/servertest", "internal/vault/logical/logicaltest",
	"internal/vault/engine/internal/conversation", "internal/broker/brokertest", "internal/mcp/tool/tooltest", "internal/testservice", "internal/testinstall",
}

// apart lists folders whose packages are alternatives and know nothing of each other. What they share is in the folder
// itself or in an internal folder below it.
var apart = []string{"internal/storage", "internal/vault/engine", "internal/vault/auth"}

// noIO lists what a package without I/O imports directly neither by this path nor by one below it.
var noIO = []string{
	"C", "crypto/tls", "database/sql", "expvar", "io/ioutil", "log/syslog", "net", "os", "path/filepath", "plugin", "syscall",
}

// harmless lists exceptions to noIO: they only look at strings.
var harmless = []string{"net/netip", "net/url", "net/mail", "net/textproto"}

// vagueNames name a place to put things, not a thing.
var vagueNames = []string{
	"base", "common", "core", "helper", "helpers", "lib", "manager", "misc", "shared", "types", "util", "utils",
}

// testOnly lists libraries that only tests and helpers import.
var testOnly = []string{
	"testing", "github.com/google/go-cmp", "github.com/rogpeppe/go-internal", "pgregory.net/rapid", "net/http/httptest",
	"github.com/hashicorp/vault/api",
}
