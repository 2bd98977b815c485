package vaultcmd

import "strings"

func authHelpSpec() spec {
	return spec{
		use: "help TYPE | PATH", short: "Show how to log in by a method", least: 1, most: 1,
		run: func(c *call) error {
			kind := strings.TrimSpace(c.args[0])
			text, known := loginHelp(kind)
			if !known {
				client, err := c.connect()
				if err != nil {
					return err
				}
				_, all, err := methods.mounts(c, client)
				if err != nil {
					return refused(err, "Error listing auth methods")
				}
				m, there := all[slashed(clean(kind))]
				if !there {
					return usage("No auth method available on the server at %q", slashed(clean(kind)))
				}
				if text, known = loginHelp(m.Type); !known {
					return nothing("`zvault login` does not know the method %q; use `zvault write auth/%s/login ...`", m.Type, clean(kind))
				}
			}
			return c.line("%s", text)
		},
	}
}

// loginHelp says how to log in by a method.
func loginHelp(kind string) (string, bool) {
	text, ok := map[string]string{
		"token": "Usage: zvault login [TOKEN]\n\nLog in with a token; it is asked for if it is not given, and taken from stdin if it is given as -.\n" +
			"lookup=false keeps it without asking the server about it.",
		"userpass": "Usage: zvault login -method=userpass [-path=PATH] username=NAME [password=-]\n\nLog in with a name and a password, which is asked for if it is not given.",
		"approle":  "Usage: zvault login -method=approle [-path=PATH] role_id=ID [secret_id=@FILE]\n\nLog in as a program, with the id of its role and a secret id.",
	}[kind]
	return text, ok
}
