package atonce

import "syscall"

// longest is the number of bytes of the longest path.
const longest = 4096

// arguments returns the arguments of the process. It returns none if /proc is not mounted, and only the first if they are long.
func arguments() (argv []string) {
	fd, err := syscall.Open("/proc/self/cmdline", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	var b [longest]byte
	n, err := syscall.Read(fd, b[:])
	_ = syscall.Close(fd)
	if err != nil {
		return nil
	}
	if argv = split(b[:n]); n == len(b) && len(argv) > 1 {
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
	n, err := syscall.Write(1, []byte(text))
	return err == nil && n == len(text)
}

func exit() { syscall.Exit(0) }

func separates(c byte) bool { return c == '/' }
