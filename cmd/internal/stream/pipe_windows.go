package stream

import "golang.org/x/sys/windows"

// noReader are the errors of a pipe that nobody reads.
var noReader = []error{windows.ERROR_NO_DATA, windows.ERROR_BROKEN_PIPE}
