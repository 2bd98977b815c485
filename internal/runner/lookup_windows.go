package runner

import "os/exec"

// lookPath looks in the PATH of this process, as Windows itself does.
func lookPath(program, _ string, _ []string) (string, error) { return exec.LookPath(program) }
