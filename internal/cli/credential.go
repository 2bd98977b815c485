package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

func (a *app) credentialCommand() *cobra.Command {
	return group("credential", "Give git and AWS programs their credentials", `Answer programs that ask another program for their credentials, so that these stand in no file. Under `+"`zvault shield`"+` they get
placeholders, with the same configuration.`, a.credentialGitCommand(), a.credentialAWSCommand())
}

// handOver reads secrets for a program that asks for credentials. Under the shield they are the placeholders of its environment;
// there the vault may be out of reach.
func (a *app) handOver(ctx context.Context, to string, names ...string) (map[string]secret.Value, error) {
	if a.getenv("ZVAULT_SHIELD") != "" {
		values := map[string]secret.Value{}
		for _, name := range names {
			v := a.getenv(name)
			if v == "" {
				return nil, withHint(fmt.Errorf("the shield holds no %s", name), "name it with --only, or leave --only out")
			}
			values[name] = secret.Of(v)
		}
		return values, nil
	}
	s, e, err := a.opened(ctx)
	if err != nil {
		return nil, err
	}
	return s.Use(ctx, a.caller(), e, names, to)
}

func (a *app) credentialGitCommand() *cobra.Command {
	var hosts []string
	var user string
	c := &cobra.Command{
		Use:   "git NAME OPERATION",
		Short: "Be git's credential helper for a host",
		Long: `Give git a secret as the password for a host, over HTTPS only. Git starts this with an operation; nothing is kept, so store and erase
do nothing. Name the project and the environment, because git asks from any folder.`,
		Example: `  git config --global credential.helper '!zvault credential git GITHUB_TOKEN --host github.com -p tools -e production'`,
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(hosts) == 0 {
				return usage("name the --host that the secret is for")
			}
			return a.credentialGit(cmd.Context(), args[0], args[1], hosts, user)
		},
	}
	c.Flags().StringArrayVar(&hosts, "host", nil, "where the secret may go: host or host:port")
	c.Flags().StringVar(&user, "user", "x-access-token", "user name, if git does not know one")
	return c
}

func (a *app) credentialGit(ctx context.Context, name, operation string, hosts []string, user string) error {
	asked, err := readAttributes(a.in)
	if err != nil || operation != "get" {
		return err // git may name operations that there are not yet; they are to be passed over
	}
	if asked["protocol"] != "https" || !slices.ContainsFunc(hosts, func(h string) bool { return strings.EqualFold(h, asked["host"]) }) {
		return nil // git asks the next helper
	}
	values, err := a.handOver(ctx, "git_credential", name)
	if err != nil {
		return err
	}
	v := values[name].Reveal()
	if strings.ContainsAny(string(v), "\r\n\x00") {
		return fmt.Errorf("%s has more than one line, which git cannot take as a password", name)
	}
	return a.raw(fmt.Appendf(nil, "username=%s\npassword=%s\n", first(asked["username"], user), v))
}

// readAttributes reads what git says of the credential that it wants: lines of key=value up to an empty one.
func readAttributes(r io.Reader) (map[string]string, error) {
	all := map[string]string{}
	lines := bufio.NewScanner(r)
	for lines.Scan() && lines.Text() != "" {
		key, value, ok := strings.Cut(lines.Text(), "=")
		if !ok {
			return nil, errors.New("git is to describe the credential in lines of key=value")
		}
		all[key] = value
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading what git asks for: %w", err)
	}
	return all, nil
}

func (a *app) credentialAWSCommand() *cobra.Command {
	var id, key, token string
	c := &cobra.Command{
		Use:   "aws",
		Short: "Be the credential_process of AWS programs",
		Long: `Print an AWS key as the SDKs and the command line of AWS want it of a credential_process. Name the project and the environment, because
they ask from any folder.`,
		Example: `  [profile shop]
  credential_process = zvault credential aws -p shop -e production`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			names := []string{id, key}
			if token != "" {
				names = append(names, token)
			}
			values, err := a.handOver(cmd.Context(), "aws_credential", names...)
			if err != nil {
				return err
			}
			answer := map[string]any{"Version": 1, "AccessKeyId": string(values[id].Reveal()), "SecretAccessKey": string(values[key].Reveal())}
			if token != "" {
				answer["SessionToken"] = string(values[token].Reveal())
			}
			return a.document(answer)
		},
	}
	c.Flags().StringVar(&id, "id", "AWS_ACCESS_KEY_ID", "secret that has the key's id")
	c.Flags().StringVar(&key, "key", "AWS_SECRET_ACCESS_KEY", "secret that has the key")
	c.Flags().StringVar(&token, "token", "", "secret that has the session token, if there is one")
	return c
}
