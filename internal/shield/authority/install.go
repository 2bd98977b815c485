package authority

import (
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Installation is what makes programs trust the authority and use the proxy: a private folder with certificates (never a key),
// and environment variables.
type Installation struct {
	// Dir is the folder, readable by this user only.
	Dir string
	// Variables are the environment variables, NAME=value.
	Variables []string
	// WithoutRoots says that this system keeps its certificates where we cannot read them. Then only what adds to a program's own
	// trust is set, and programs that know no such variable do not trust the shield.
	WithoutRoots bool
}

// proxyScript teaches the proxy variables to versions of Node that do not know them.
//
//go:embed node-proxy.cjs
var proxyScript []byte

// Install writes the certificates to a new folder below parent (the system's for temporary files if empty) and works out the
// variables. proxy is the URL of the proxy with its credentials. Remove the installation at the end.
func Install(a *Authority, proxy *url.URL, parent string, getenv func(string) string) (*Installation, error) {
	dir, err := os.MkdirTemp(parent, "zvault-shield-")
	if err != nil {
		return nil, fmt.Errorf("making a folder for the shield's certificate: %w", err)
	}
	i := &Installation{Dir: dir}
	if err := i.fill(a, proxy, getenv); err != nil {
		return nil, errors.Join(err, i.Remove())
	}
	return i, nil
}

// Remove removes the folder.
func (i *Installation) Remove() error {
	if err := os.RemoveAll(i.Dir); err != nil {
		return fmt.Errorf("removing the shield's certificate: %w", err)
	}
	return nil
}

func (i *Installation) set(value string, names ...string) {
	for _, name := range names {
		i.Variables = append(i.Variables, name+"="+value)
	}
}

func (i *Installation) write(name string, data []byte) (string, error) {
	path := filepath.Join(i.Dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return "", fmt.Errorf("writing the shield's certificate: %w", err)
	}
	return path, nil
}

func (i *Installation) fill(a *Authority, proxy *url.URL, getenv func(string) string) error {
	roots, err := systemRoots(getenv)
	if err != nil {
		return err
	}
	i.WithoutRoots = len(roots) == 0
	i.proxy(proxy)
	own, err := i.write("authority.pem", a.PEM())
	if err != nil {
		return err
	}
	i.set(own, "DENO_CERT") // adds to Deno's own
	if i.WithoutRoots {
		i.set(own, "NODE_EXTRA_CA_CERTS")
		return i.node(getenv)
	}
	all := append(roots, a.PEM()...)
	bundle, err := i.write("bundle.pem", all)
	if err != nil {
		return err
	}
	i.set(bundle, "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "AWS_CA_BUNDLE",
		"CARGO_HTTP_CAINFO", "PIP_CERT", "npm_config_cafile", "NIX_SSL_CERT_FILE", "HTTPLIB2_CA_CERTS", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
		"CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", "BUNDLE_SSL_CA_CERT", "COMPOSER_CAFILE", "HEX_CACERTS_PATH", "UV_SSL_CERT_FILE", "PERL_LWP_SSL_CA_FILE")
	if err := i.wget(bundle, getenv); err != nil {
		return err
	}
	store, err := i.write("truststore.jks", javaStore(all, time.Unix(0, 0)))
	if err != nil {
		return err
	}
	i.java(proxy, store, getenv)
	return i.node(getenv)
}

// proxy sets what leads programs to the proxy, all addresses included: one that went past it would send a placeholder.
func (i *Installation) proxy(proxy *url.URL) {
	p := proxy.String()
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "WS_PROXY", "WSS_PROXY", "GRPC_PROXY"} {
		i.set(p, name, strings.ToLower(name))
	}
	i.set("", "NO_PROXY", "no_proxy", "no_grpc_proxy")
	i.set(p, "npm_config_proxy", "npm_config_https_proxy")
	i.set("", "npm_config_noproxy")
	i.set("1", "NODE_USE_ENV_PROXY")
}

// wget reads certificates from its settings only, so those of the person are read first.
func (i *Installation) wget(bundle string, getenv func(string) string) error {
	settings := getenv("WGETRC")
	if settings == "" {
		settings = filepath.Join(getenv("HOME"), ".wgetrc")
	}
	data, err := os.ReadFile(settings)
	if err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("reading the settings of wget: %w", err)
	}
	path, err := i.write("wgetrc", append(data, "\nca_certificate = "+bundle+"\n"...))
	if err != nil {
		return err
	}
	i.set(path, "WGETRC")
	return nil
}

// java sets system properties: its HTTP clients read no variables.
func (i *Installation) java(proxy *url.URL, store string, getenv func(string) string) {
	options := []string{
		"-Djavax.net.ssl.trustStore=" + quoteJava(store), "-Djavax.net.ssl.trustStoreType=JKS", "-Djavax.net.ssl.trustStorePassword=" + storePassword,
		"-Dhttp.nonProxyHosts=",
	}
	for _, scheme := range []string{"http", "https"} {
		options = append(options, "-D"+scheme+".proxyHost="+proxy.Hostname(), "-D"+scheme+".proxyPort="+proxy.Port())
	}
	i.set(strings.TrimSpace(getenv("JAVA_TOOL_OPTIONS")+" "+strings.Join(options, " ")), "JAVA_TOOL_OPTIONS")
}

// quoteJava quotes a path for JAVA_TOOL_OPTIONS.
func quoteJava(path string) string {
	if strings.ContainsAny(path, " \t") {
		return `"` + path + `"`
	}
	return path
}

func (i *Installation) node(getenv func(string) string) error {
	path, err := i.write("node-proxy.cjs", proxyScript)
	if err != nil {
		return err
	}
	i.set(strings.TrimSpace(getenv("NODE_OPTIONS")+" --require="+quoteNode(path)), "NODE_OPTIONS")
	return nil
}

// quoteNode quotes a path for NODE_OPTIONS, where a backslash within quotes escapes.
func quoteNode(path string) string {
	if strings.ContainsAny(path, " \t\\") {
		return `"` + strings.ReplaceAll(path, `\`, `\\`) + `"`
	}
	return path
}
