// The limit of the container is read once, at the start, when the number of workers is chosen; watching it would delay small calls.
//go:debug updatemaxprocs=0

// Command btfbatch encodes the DWARF of kernel images as BTF, for all images of a manifest or for a single one.
//
// Exit codes: 0 success, 1 an image failed, 2 wrong usage or manifest, 3 a golden difference, 75 run a shard again, 130 interrupted.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/console"
	"github.com/btfbatch/btfbatch/cmd/internal/interrupt"
	"github.com/btfbatch/btfbatch/cmd/internal/publish"
	"github.com/btfbatch/btfbatch/cmd/internal/standin"
	"github.com/btfbatch/btfbatch/cmd/internal/standin/atonce"
	"github.com/btfbatch/btfbatch/cmd/internal/stream"
	"github.com/btfbatch/btfbatch/config"
	_ "github.com/btfbatch/btfbatch/encoder/input/codecs" // not initialised by calls of pahole that do without
	"github.com/btfbatch/btfbatch/golden/report/exitcode"
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
func failed(err error) error { return withCode(exitcode.Failed, err) }
func usage(err error) error  { return withCode(exitcode.Usage, err) }

func withCode(code int, err error) error {
	if err == nil {
		return nil
	}
	return &exit{code, err}
}

func main() {
	standin.Finish()
	// Treat a pipe without a reader like any other write error, so that the requested files are still written.
	signal.Ignore(syscall.SIGPIPE)
	log.SetOutput(io.Discard) // net/http logs what a server sends unasked
	config.ToolVersion = thisBuild().version
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run runs the program and returns its exit code.
func run(args []string, stdout, stderr io.Writer) int {
	out, errs := stream.New(stdout), stream.New(stderr)
	voice := firstVoice(args, errs)
	code := guarded(voice, func() int { return execute(args, out, errs, voice) })
	reported := code != exitcode.OK && code != exitcode.Differs // an error was printed, perhaps this one
	if err := out.Err(); err != nil && !reported && !stream.Gone(err) {
		voice.Complain(fmt.Errorf("standard output: %w", err), exitcode.Failed)
	}
	if out.Err() != nil && code != exitcode.Interrupted && code != exitcode.TryAgain || errs.Err() != nil && !reported { // an error of standard error cannot be printed
		code = exitcode.Failed
	}
	return code
}

// execute runs the command.
func execute(args []string, stdout, stderr io.Writer, voice *console.Console) int {
	var interrupts interrupt.Interrupter
	interrupts.Say = func() { voice.Complain(errInterrupted, interrupts.Code()) }
	ctx := interrupts.Listen(context.Background())
	cmd, err := commandOf(args, stdout, stderr, voice, &interrupts).ExecuteContextC(ctx)
	if err == nil {
		return exitcode.OK
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		err = &exit{interrupts.Code(), errInterrupted}
	}
	e := &exit{exitcode.Usage, wrongCommand(cmd, err)} // of cobra: flags and arguments
	errors.As(err, &e)
	switch {
	case errors.Is(e.cause, errInterrupted):
		interrupt.WaitAtMost(interrupt.GraceForFiles, publish.Stop) // an image that is stuck leaves no temporary file
		interrupts.LastLine()
	case e.cause != nil && !stream.Gone(e.cause):
		voice.Complain(withoutCall(e.cause), e.code)
	}
	return e.code
}

// commandOf returns the commands, ready for the arguments.
func commandOf(args []string, stdout, stderr io.Writer, voice *console.Console, interrupts *interrupt.Interrupter) *cobra.Command {
	root := newRoot(voice, interrupts)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	if asksForCompletion(args) { // it takes longer than all other flags and commands
		addCompletions(root)
	}
	completion(root)
	givenOnce(root)
	explainMistakes(root)
	return root
}

// guarded reports a panic, which is a bug in btfbatch, like any other error.
func guarded(voice *console.Console, do func() int) (code int) {
	defer func() {
		if r := recover(); r != nil {
			code = exitcode.Failed
			voice.Complain(fmt.Errorf("internal error: %v\n%s", r, debug.Stack()), code)
		}
	}()
	return do()
}

// firstVoice returns the console that is used before the flags are parsed, and for the last line. Its lines have the format that the
// arguments ask for, even if other arguments are wrong.
func firstVoice(args []string, stderr io.Writer) *console.Console {
	format := "human"
	for i, arg := range args {
		if arg == "--" || arg == atonce.Name && i == 0 {
			break
		}
		if value, ok := strings.CutPrefix(arg, "--log-format="); ok {
			format = value
		} else if arg == "--log-format" && i+1 < len(args) {
			format = args[i+1]
		}
	}
	voice, err := console.New(stderr, format, "info")
	if err != nil {
		voice, _ = console.New(stderr, "human", "info")
	}
	return voice
}
