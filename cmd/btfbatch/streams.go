package main

import (
	"errors"
	"io"

	"github.com/btfbatch/btfbatch/cmd/internal/console"
	"github.com/btfbatch/btfbatch/encoder/input"
)

// spool replaces inputs that can be read only once (pipes, and the standard input, which is -) with files that can be opened several times.
// It returns a function that releases these files.
func spool(paths ...*string) (done func(), err error) {
	var all []func()
	done = func() {
		for _, f := range all {
			f()
		}
	}
	var names []string
	for _, p := range paths {
		names = append(names, *p)
	}
	if err := oneStdin(names...); err != nil {
		return done, err
	}
	for _, p := range paths {
		if *p == "" {
			continue
		}
		again, release, err := input.Spool(*p)
		if err != nil {
			done()
			return func() {}, failed(err)
		}
		*p = again
		all = append(all, release)
	}
	return done, nil
}

// oneStdin refuses to read the standard input twice.
func oneStdin(paths ...string) error {
	n := 0
	for _, p := range paths {
		if localFile(p) == input.Stdin {
			n++
		}
	}
	if n > 1 {
		return usage(errors.New("only one input can be the standard input (-)"))
	}
	return nil
}

// standardOutput reports whether a path is one of the system's names for the standard output.
func standardOutput(path string) bool {
	return path == "/dev/stdout" || path == "/dev/fd/1" || path == "/proc/self/fd/1"
}

// binaryTo refuses to write BTF to a terminal.
func binaryTo(w io.Writer) error {
	if console.IsTerminal(w) {
		return usage(errors.New("-o - writes bytes, and the standard output is a terminal"))
	}
	return nil
}
