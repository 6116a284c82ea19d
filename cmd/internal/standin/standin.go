// Package standin runs the program as pahole if it was called by that name.
//
// A kernel build calls pahole thousands of times, and a call with a base takes a few milliseconds. Before main runs, a Go program initialises all
// of its packages; here, those for networks, manifests and reports would take as long as a small module. So the program runs as pahole from
// this package's init function, and ends there. The language guarantees that all packages that this one imports have been initialised then, and fixes
// the order of the others: by import path, as soon as their own imports are ready. So the fewer packages this one leads to, the earlier
// its turn comes. The packages that decompress files are among the last, so a call with a compressed file or a pipe is run once more by main.
//
// Input: the arguments of the process. Output: those of pahole, and the exit code. Never: the package imports nothing that pahole does not need.
package standin

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"sync"
	"syscall"

	"github.com/btfbatch/btfbatch/cmd/internal/interrupt"
	"github.com/btfbatch/btfbatch/cmd/internal/pahole"
	"github.com/btfbatch/btfbatch/cmd/internal/standin/atonce"
	"github.com/btfbatch/btfbatch/cmd/internal/standin/naps"
	"github.com/btfbatch/btfbatch/cmd/internal/standin/single"
	"github.com/btfbatch/btfbatch/cmd/internal/stream"
	"github.com/btfbatch/btfbatch/golden/escape"
	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

// told is the standard error of both runs.
var told = lines{out: stream.New(os.Stderr)}

// lines is a standard error that is written to at once, since a long encoding may be interrupted. The second run leaves out what the first has
// written.
type lines struct {
	out           *stream.Stream
	written, skip int // in bytes
}

func (l *lines) Write(b []byte) (int, error) {
	old := min(len(b), l.skip)
	if l.skip -= old; old == len(b) {
		return old, nil
	}
	n, err := l.out.Write(b[old:])
	l.written += n
	return old + n, err
}

// again begins the second run.
func (l *lines) again() { l.skip = l.written }

// postponed is whether the process was called as pahole and did not end in init.
var postponed bool

func init() {
	if atonce.Called(os.Args) {
		code, ready := run(os.Args, os.Stdout, &told)
		if ready {
			os.Exit(code)
		}
		postponed = true
	}
}

// Finish ends the process if it was called as pahole, with a file whose codec was not registered before main. Function main calls it first.
func Finish() {
	if postponed {
		told.again()
		code, _ := run(os.Args, os.Stdout, &told)
		os.Exit(code)
	}
}

// listen listens for signals, which a brief call does not. The context ends with the first one.
var listen = sync.OnceValue(func() context.Context {
	naps.End()
	interrupts := interrupt.Interrupter{Say: func() { complain(os.Stderr, "interrupted") }}
	return interrupts.Listen(context.Background())
})

// complain prints an error.
func complain(w io.Writer, err any) { fmt.Fprintf(w, "btfbatch: %s\n", escape.Text(fmt.Sprint(err))) }

// run runs the process as pahole and returns its exit code. ready is as that of pahole.Run.
//
// It begins with a single processor; see package single. Package pahole asks for more where the work is long enough to be divided.
func run(argv []string, stdout io.Writer, errs *lines) (code int, ready bool) {
	pahole.Processors = max(single.Processors, runtime.GOMAXPROCS(0))
	signal.Ignore(syscall.SIGPIPE) // like any other write error
	out := stream.New(stdout)
	defer func() {
		if r := recover(); r != nil {
			code, ready = exitcode.Failed, true
			complain(errs, fmt.Sprintf("internal error: %v\n%s", r, debug.Stack()))
		}
	}()
	if code, ready = start(pahole.Signals{Listen: listen, Hold: interrupt.Hold}, argv[0], argv[1:], out, errs); !ready {
		return code, false
	}
	if err := out.Err(); err != nil && code == exitcode.OK {
		if code = exitcode.Failed; !stream.Gone(err) {
			complain(errs, fmt.Errorf("standard output: %w", err))
		}
	}
	if errs.out.Err() != nil && code == exitcode.OK {
		code = exitcode.Failed
	}
	return code, true
}

// Run runs the command line of pahole; see pahole.Run. name is the name of the program, for error messages. The context ends with the first signal.
func Run(ctx context.Context, name string, args []string, stdout, stderr io.Writer) (code int, ready bool) {
	return start(pahole.Signals{Listen: func() context.Context { return ctx }}, name, args, stdout, stderr) //nolint:contextcheck // Listen passes it
}

func start(signals pahole.Signals, name string, args []string, stdout, stderr io.Writer) (code int, ready bool) {
	collectLate()
	return pahole.Run(signals, name, args, stdout, stderr)
}
