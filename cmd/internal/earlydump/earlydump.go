// Package earlydump runs the command dump before the packages of other commands are initialised.
//
// Printing the BTF of a kernel takes some 15 milliseconds. The packages for networks, manifests and reports, which dump does not need, take
// a third of that to initialise. So this package's init function runs the calls of dump that are most frequent: a format, and a plain file
// with BTF that has no base. See package standin on the order in which packages are initialised.
//
// Input: the arguments of the process. Output: a dump, and the end of the process; or the error of a dump that was begun, which the command
// reports. Never: the package decides that a call is wrong. It leaves every other call to the command, before it writes anything.
package earlydump

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/btfbatch/btfbatch/cmd/internal/btffile"
	"github.com/btfbatch/btfbatch/cmd/internal/interrupt"
	"github.com/btfbatch/btfbatch/cmd/internal/standin/atonce"
	"github.com/btfbatch/btfbatch/encoder/input"
	"github.com/btfbatch/btfbatch/golden/dump"
	"github.com/btfbatch/btfbatch/golden/escape"
	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

// failed is the error of a dump that was begun, or nil.
var failed error

func init() {
	c, ok := parse(os.Args)
	if !ok {
		return
	}
	switch began, err := c.run(os.Stdout); {
	case err != nil:
		failed = err
	case began:
		os.Exit(0)
	}
}

// Failed returns the error of the process's dump if it was begun before main. The command dump must return it and do nothing else.
func Failed() error { return failed }

// A call is a call of dump that this package may run.
type call struct{ format, path string }

// parse returns the call if the arguments are a format, if any, and a path.
func parse(argv []string) (c call, ok bool) {
	if len(argv) < 3 || len(argv) > 5 || argv[1] != "dump" || atonce.Called(argv) {
		return call{}, false
	}
	for args := argv[2:]; len(args) > 0; args = args[1:] {
		format, given := strings.CutPrefix(args[0], "--format=")
		if args[0] == "--format" && len(args) > 1 {
			args = args[1:]
			format, given = args[0], true
		}
		switch {
		case given && c.format == "" && slices.Contains(dump.Formats(), format):
			c.format = format
		case !given && c.path == "" && !strings.HasPrefix(args[0], "-") && !strings.Contains(args[0], "="): // not the standard input, nor a reference
			c.path = args[0]
		default:
			return call{}, false
		}
	}
	if c.format == "" {
		c.format = "raw"
	}
	return c, c.path != ""
}

// watching is the time between two looks at the file. Nearly all dumps end before the first.
const watching = 300 * time.Millisecond

// changed waits until the file changes, and returns the error that says so, or nil when there is nothing more to wait for.
func changed(in *input.File, every time.Duration, done <-chan struct{}) error {
	for {
		select {
		case <-done:
			return nil
		case <-time.After(every):
		}
		if err := in.Unchanged(); err != nil {
			return err
		}
	}
}

// watch ends the program when the file changes. What printing relies on was checked before, so it may then have no end.
func (c call) watch(in *input.File, done <-chan struct{}) {
	if err := changed(in, watching, done); err != nil {
		fmt.Fprintln(os.Stderr, "btfbatch:", escape.Line(input.Named(c.path, err).Error()))
		os.Exit(exitcode.Failed)
	}
}

// run prints the BTF in a plain file, if it has no base. Of other files it writes nothing, and began is false. The file must not change
// meanwhile: what is missing of a file that was cut short is a fault, and so a panic.
func (c call) run(stdout io.Writer) (began bool, err error) {
	if size, err := input.Regular(c.path); err != nil || size == 0 { // a pipe could be read only once
		return false, nil
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true)) // the file is mapped
	var v *btffile.View
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("internal error: %v\n%s", r, debug.Stack())
		}
		if !began {
			err = nil
		} else if changed := v.In.Unchanged(); changed != nil {
			err = input.Named(c.path, changed)
		}
	}()
	if v, err = btffile.OpenView(c.path); err != nil {
		return false, err
	}
	began = true
	done := make(chan struct{})
	defer close(done)
	go c.watch(v.In, done)
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(600) // nearly everything stays until the end
	}
	signal.Ignore(syscall.SIGPIPE) // like any other write error
	interrupts := interrupt.Interrupter{Say: func() { fmt.Fprintln(os.Stderr, "btfbatch: interrupted") }}
	interrupts.Listen(context.Background())
	return true, dump.Write(stdout, v.Object, c.format, v.PtrSize)
}
