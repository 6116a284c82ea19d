package main

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

// How long the program continues after the first signal. A second signal ends it immediately.
const (
	graceForBatch = 1500 * time.Millisecond // to write the report of the images that are finished
	graceForFiles = 2 * time.Second         // to publish files that belong together
	graceForWords = 500 * time.Millisecond  // to write the last line, which may block
)

// An interrupter ends the program on a signal. Code that checks its context returns by itself, but some code cannot: reading a pipe that
// nobody writes to, writing to one that nobody reads, a library that decompresses. There is no need to wait for it, because files are
// published by a rename. The interrupter waits only for a batch, which has a report to write, and only briefly. The zero value does nothing.
type interrupter struct {
	say     func()                 // writes the last line
	clear   atomic.Pointer[func()] // removes what is drawn on the terminal
	signals chan os.Signal
	batch   sync.Mutex  // held while a batch runs
	said    sync.Once   // the last line
	again   atomic.Bool // the command is a shard, which a scheduler can run again
}

// code is the exit code of an interrupted program.
func (i *interrupter) code() int {
	if i.again.Load() {
		return exitcode.TryAgain
	}
	return exitcode.Interrupted
}

// listen starts to listen for signals. The context ends with the first one.
func (i *interrupter) listen(parent context.Context) context.Context {
	ctx, cancel := context.WithCancel(parent)
	i.signals = make(chan os.Signal, 2)
	signal.Notify(i.signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // as below nohup
		signal.Notify(i.signals, syscall.SIGHUP)
	}
	go func() {
		<-i.signals
		cancel()
		go func() { // a second signal
			<-i.signals
			os.Exit(i.code())
		}()
		waitAtMost(graceForBatch, i.batch.Lock)
		waitAtMost(graceForFiles, publish.Stop)
		waitAtMost(graceForWords, i.sayInterrupted)
		os.Exit(i.code())
	}()
	return ctx
}

// sayInterrupted writes the last line of an interrupted program, once. The caller may end the program when it returns.
func (i *interrupter) sayInterrupted() {
	i.said.Do(func() {
		if end := i.clear.Load(); end != nil {
			(*end)()
		}
		if i.say != nil {
			i.say()
		}
	})
}

// waitAtMost calls do and waits until it returns, but at most for this time.
func waitAtMost(d time.Duration, do func()) {
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
