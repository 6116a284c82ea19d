//go:build !windows

package stream

import "syscall"

// noReader are the errors of a pipe that nobody reads.
var noReader = []error{syscall.EPIPE}
