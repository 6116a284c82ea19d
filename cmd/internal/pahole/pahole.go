// Package pahole implements the command line of pahole -J, so that a kernel build can call btfbatch in place of pahole.
//
// Input: the arguments that a kernel's scripts pass. Output: a section in the image or a raw file, and an exit code. The BTF is that of
// the profile pahole. Never: the package prints no types and hides no error. Where pahole exits with 0, silently and without BTF, this
// program reports the error and exits with 1.
package pahole

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/btfbatch/btfbatch/encoder/input"
	"github.com/btfbatch/btfbatch/encoder/rules"
	"github.com/btfbatch/btfbatch/golden/escape"
	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

// A stop ends the program while options are read. It has the texts to print and the exit code.
type stop struct {
	code     int
	out, err string
}

func (s *stop) Error() string { return s.err }

// failf is a stop with a line on stderr.
func failf(format string, args ...any) *stop {
	return &stop{code: exitcode.Failed, err: fmt.Sprintf(format, args...) + "\n"}
}

// Processors is the number of processors that an encoding may use, if it takes long enough to be divided. 0 stands for those that the program
// uses when it begins. A program that runs nothing else may begin with one, since threads that wait for work cost time, and set this.
var Processors int

// Signals is how a run meets the signals that end the program. A program listens for them with three more threads, and starting these takes as long as
// a tenth of a small module. So a brief run does not listen: a signal kills it, and there is nothing to remove. From the moment when it has temporary
// files to its end, which is a few milliseconds, it goes on.
type Signals struct {
	Listen func() context.Context // the context ends with the first signal; not called by a brief run
	Hold   func()                 // makes the program go on when signals come; called by a brief run only. If it is nil, no run is brief
}

// Run runs the program and returns its exit code. name is the name by which it was called, for error messages.
//
// ready is false if a file is compressed and its codec is not registered, or if a codec is missing and a file can be read only once. The program
// has then written nothing but warnings to stderr, and can be run again when the codecs are registered. It writes the same warnings then.
func Run(signals Signals, name string, args []string, stdout, stderr io.Writer) (code int, ready bool) {
	return runBy(signals, rules.Pahole, name, args, stdout, stderr)
}

// runBy is Run with a subset of pahole's rules.
func runBy(signals Signals, peer rules.Set, name string, args []string, stdout, stderr io.Writer) (code int, ready bool) {
	s, err := parseBy(peer, name, args, stderr)
	if err == nil {
		r := &run{commandLine: s, signals: signals, stdout: stdout, stderr: stderr}
		err = r.run()
	}
	var end *stop
	switch {
	case err == nil:
		return exitcode.OK, true
	case errors.Is(err, input.ErrNoCodec):
		return exitcode.Failed, false
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "pahole: interrupted")
		return exitcode.Interrupted, true
	case errors.As(err, &end):
		fmt.Fprint(stdout, end.out)
		fmt.Fprint(stderr, escape.Text(end.err))
		return end.code, true
	}
	fmt.Fprintf(stderr, "pahole: %s\n", escape.Text(err.Error()))
	return exitcode.Failed, true
}
