// Command btfbatch turns the DWARF of kernel images into BTF: many at once by a manifest, or one.
//
// Exit codes: 0 all good, 1 an image failed, 2 usage or manifest, 3 golden difference, 130 interrupted.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/btfbatch/btfbatch/cmd/internal/publish"
	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/golden/escape"
)

// Exit codes.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitDiffers     = 3
	exitInterrupted = 130
)

var errInterrupted = errors.New("interrupted")

// An exit ends the program with a code. Its cause is printed, if there is one.
type exit struct {
	code  int
	cause error
}

func (e *exit) Error() string { return fmt.Sprint(e.cause) }

func (e *exit) Unwrap() error { return e.cause }

// failed and usage give an error its exit code.
func failed(err error) error { return withCode(exitFailed, err) }
func usage(err error) error  { return withCode(exitUsage, err) }

func withCode(code int, err error) error {
	if err == nil {
		return nil
	}
	return &exit{code, err}
}

func main() { os.Exit(run(arguments(os.Args))) }

// run is the program: it returns its exit code.
func run(args []string) int {
	var interrupts interrupter
	ctx := interrupts.listen(context.Background())
	root := newRoot(&interrupts)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		err = &exit{exitInterrupted, errInterrupted}
	}
	e := &exit{exitUsage, err} // of cobra: flags and arguments
	errors.As(err, &e)
	switch {
	case errors.Is(e.cause, errInterrupted):
		waitAtMost(graceForFiles, publish.Stop) // an image that is stuck leaves no temporary file
		interrupts.sayInterrupted()
	case e.cause != nil:
		complain(e.cause)
	}
	return e.code
}

// complain writes the line, or the lines of a manifest's problems, with which the program ends.
func complain(err error) {
	var manifest *config.Problems // a line each, which start with their place
	if errors.As(err, &manifest) {
		for _, p := range manifest.List {
			fmt.Fprintln(os.Stderr, escape.Line(p.String()))
		}
		return
	}
	fmt.Fprintf(os.Stderr, "btfbatch: %s\n", escape.Text(err.Error()))
}
