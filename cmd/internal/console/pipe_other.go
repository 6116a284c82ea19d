//go:build !windows

package console

import "syscall"

// noReader are the errors of a pipe that nobody reads.
var noReader = []error{syscall.EPIPE}
