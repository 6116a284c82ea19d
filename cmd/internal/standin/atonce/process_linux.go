//go:build linux && (amd64 || arm64)

package atonce

import "unsafe" // the addresses that system calls get, and strings without an allocation; what they point at is a string of the program, or cmdline

// longest is the number of bytes of the longest path.
const longest = 4096

// enough is the number of arguments to read: no call with that many is answered.
const enough = 3

// The flags of openat, and the folder that stands for the current one.
const (
	atFDCWD  = ^uintptr(0) - 99
	oCloexec = 0x80000
)

// cmdline and words hold the arguments. On the stack, they would make it grow, as a call of the allocator does: a dozen page faults.
var (
	cmdline [longest]byte
	words   [enough]string
)

// call makes a system call and returns what the kernel returns: from -4095 to -1, it is the negative number of an error. The scheduler does not learn of
// it. Package syscall would have to be initialised first, and for it what it imports.
//
//go:noescape
func call(number, a, b, c uintptr) uintptr

// failed reports whether a result of call is an error.
func failed(result uintptr) bool { return result > ^uintptr(4095) }

// arguments returns the arguments of the process, but not more than enough to tell calls apart. It returns none if /proc is not mounted, and only
// the first if they are long.
func arguments() []string {
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
	count := split(cmdline[:n])
	if n == longest {
		count = min(count, 1)
	}
	return words[:count]
}

// split sets words to the first of the strings that end with a NUL, and returns their number.
func split(b []byte) (count int) {
	start := 0
	for i, c := range b {
		if c == 0 && count < enough {
			words[count] = unsafe.String(&b[start], i-start)
			count++
			start = i + 1
		}
	}
	return count
}

// write writes a text to the standard output. It reports whether it wrote all of it.
func write(text string) bool {
	return call(writeTo, 1, uintptr(unsafe.Pointer(unsafe.StringData(text))), uintptr(len(text))) == uintptr(len(text))
}

func exit() { call(exitGroup, 0, 0, 0) }

func separates(c byte) bool { return c == '/' }
