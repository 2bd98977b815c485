//go:build unix && !linux

package runner_test

const isLinux = false
