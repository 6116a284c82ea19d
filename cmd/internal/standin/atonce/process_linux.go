//go:build linux && (amd64 || arm64)

package atonce

import "unsafe" // the addresses that system calls get; what they point at is a string of the program, or cmdline

// longest is the number of bytes of the longest path.
const longest = 4096

// The flags of openat, and the folder that stands for the current one.
const (
	atFDCWD  = ^uintptr(0) - 99
	oCloexec = 0x80000
)

// cmdline holds the arguments while they are split. On the stack, it would make the stack grow, which costs a dozen page faults.
var cmdline [longest]byte

// call makes a system call and returns what the kernel returns: from -4095 to -1, it is the negative number of an error. The scheduler does not learn of
// it. Package syscall would have to be initialised first, and for it what it imports.
//
//go:noescape
func call(number, a, b, c uintptr) uintptr

// failed reports whether a result of call is an error.
func failed(result uintptr) bool { return result > ^uintptr(4095) }

// arguments returns the arguments of the process. It returns none if /proc is not mounted, and only the first if they are long.
func arguments() (argv []string) {
	path := "/proc/self/cmdline\x00"
	fd := call(openat, atFDCWD, uintptr(unsafe.Pointer(unsafe.StringData(path))), oCloexec)
	if failed(fd) {
		return nil
	}
	n := call(read, fd, uintptr(unsafe.Pointer(&cmdline)), longest)
	call(closeFile, fd, 0, 0)
	if failed(n) {
		return nil
	}
	if argv = split(cmdline[:n]); n == longest && len(argv) > 1 {
		argv = argv[:1]
	}
	return argv
}

// split returns the strings that end with a NUL.
func split(b []byte) (list []string) {
	start := 0
	for i, c := range b {
		if c == 0 {
			list = append(list, string(b[start:i]))
			start = i + 1
		}
	}
	return list
}

// write writes a text to the standard output. It reports whether it wrote all of it.
func write(text string) bool {
	return call(writeTo, 1, uintptr(unsafe.Pointer(unsafe.StringData(text))), uintptr(len(text))) == uintptr(len(text))
}

func exit() { call(exitGroup, 0, 0, 0) }

func separates(c byte) bool { return c == '/' }
