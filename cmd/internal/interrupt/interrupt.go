// Package interrupt ends the program on a signal.
//
// Input: signals. Output: a context that ends, a last line, and the end of the program. Never: the package leaves no half-published files.
package interrupt

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/btfbatch/btfbatch/cmd/internal/publish"
	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

// How long the program continues after the first signal. A second signal ends it immediately, unless it comes at once: some programs that
// stop others signal a process and then its process group, so it is the same signal.
const (
	oneSignal     = 250 * time.Millisecond
	graceForBatch = 1500 * time.Millisecond // to write the report of the images that are finished
	GraceForFiles = 2 * time.Second         // to publish files that belong together
	graceForWords = 500 * time.Millisecond  // to write the last line, which may block
)

// An Interrupter ends the program on a signal. Code that checks its context returns by itself, but some code cannot: reading a pipe that
// nobody writes to, writing to one that nobody reads, a library that decompresses. There is no need to wait for it, because files are
// published by a rename. The Interrupter waits only for a batch, which has a report to write, and only briefly. The zero value does nothing.
type Interrupter struct {
	Say     func()                 // writes the last line
	Clear   atomic.Pointer[func()] // removes what is drawn on the terminal
	signals chan os.Signal
	Batch   sync.Mutex  // held while a batch runs
	said    sync.Once   // the last line
	Again   atomic.Bool // the command is a shard, which a scheduler can run again
}

// Code is the exit code of an interrupted program.
func (i *Interrupter) Code() int {
	if i.Again.Load() {
		return exitcode.TryAgain
	}
	return exitcode.Interrupted
}

// Listen starts to listen for signals, except for those that whoever started the program wants it to ignore. The context ends with the first one.
func (i *Interrupter) Listen(parent context.Context) context.Context {
	ctx, cancel := context.WithCancel(parent)
	i.signals = make(chan os.Signal, 2)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) { // as below nohup, or in the background of a script, where Ctrl-C is for others
			signal.Notify(i.signals, s)
		}
	}
	go func() {
		<-i.signals
		cancel()
		go func() {
			second(i.signals, time.Now())
			os.Exit(i.Code())
		}()
		WaitAtMost(graceForBatch, i.Batch.Lock)
		WaitAtMost(GraceForFiles, publish.Stop)
		WaitAtMost(graceForWords, i.LastLine)
		os.Exit(i.Code())
	}()
	return ctx
}

// Hold makes a program that does not listen go on when one of the signals comes. It is for the few milliseconds between the first temporary file of
// a program and its end.
func Hold() { signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP) }

// second waits for a signal that is not the first one, which came at a time.
func second(signals <-chan os.Signal, first time.Time) {
	for range signals {
		if time.Since(first) > oneSignal {
			return
		}
	}
}

// LastLine writes the last line of an interrupted program, once. The caller may end the program when it returns.
func (i *Interrupter) LastLine() {
	i.said.Do(func() {
		if end := i.Clear.Load(); end != nil {
			(*end)()
		}
		if i.Say != nil {
			i.Say()
		}
	})
}

// WaitAtMost calls do and waits until it returns, but at most for this time.
func WaitAtMost(d time.Duration, do func()) {
	done := make(chan struct{})
	go func() {
		do()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(d):
	}
}
