// Package sandbox starts a program so that it and all its children cannot read what the user who started it can read: the
// vault, other credentials, other processes, the keychain's socket; nor reach any network but the addresses that they are
// given. [Command] returns an exec.Cmd to start; [Probe] says which protections this system offers. No root is needed.
//
// On Linux the program runs in user, mount, process, network and IPC namespaces of its own, below Landlock and a seccomp
// filter. Process 1 of those namespaces is this binary, executed again: its main function must call [Init] first of all if
// [IsInit] says so. Where user namespaces are switched off, Landlock and seccomp alone do part of it, and the [Report] says
// which part is missing. On macOS sandbox-exec is used, with the text of [Profile]. Elsewhere Command fails.
//
// What the sandbox does not do is in docs/sandbox.md.
package sandbox
