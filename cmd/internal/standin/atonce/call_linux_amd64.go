package atonce

// The numbers of system calls.
const (
	read      = 0
	writeTo   = 1
	closeFile = 3
	exitGroup = 231
	openat    = 257
)
