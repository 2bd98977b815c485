//go:build !linux && !darwin

package sandbox

import (
	"context"
	"os/exec"
)

// Command fails with [ErrUnsupported].
func Command(_ context.Context, argv, _ []string, o Options) (*exec.Cmd, *Report, error) {
	if err := o.check(argv); err != nil {
		return nil, nil, err
	}
	report := Probe()
	return nil, &report, ErrUnsupported
}

// Probe says that there is no layer.
func Probe() Report {
	return Report{
		Layers: []Layer{{Name: "sandbox", Guards: "files, processes and network", Detail: ErrUnsupported.Error()}},
		Open:   []string{"the program can do what its user can"},
	}
}

// Ended fails with [ErrUnsupported].
func Ended(*exec.Cmd) (Status, error) { return Status{}, ErrUnsupported }

// IsInit reports false.
func IsInit() bool { return false }

// Init is not called here.
func Init() int { return 1 }
