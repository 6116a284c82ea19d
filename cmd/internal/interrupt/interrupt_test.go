package interrupt

import (
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// The last line is written before the program ends, whether the command or the Interrupter ends it.
func TestLastWords(t *testing.T) {
	var said atomic.Bool
	speaking := make(chan struct{})
	i := Interrupter{Say: func() {
		close(speaking)
		time.Sleep(20 * time.Millisecond)
		said.Store(true)
	}}
	go i.LastLine()
	<-speaking
	if i.LastLine(); !said.Load() {
		t.Error("the program may end before the last line is written")
	}
}

// A signal that comes with the first one, as from the program timeout, is no second one.
func TestSecond(t *testing.T) {
	signals, ended := make(chan os.Signal, 2), make(chan struct{})
	signals <- os.Interrupt
	go func() {
		second(signals, time.Now())
		close(ended)
	}()
	for len(signals) > 0 {
		time.Sleep(time.Millisecond)
	}
	select {
	case <-ended:
		t.Fatal("the first signal counts as the second")
	case <-time.After(oneSignal):
	}
	signals <- os.Interrupt
	<-ended
}

// TestHold: a program that holds signals goes on when they come.
func TestHold(t *testing.T) {
	Hold()
	defer signal.Reset(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if err := syscall.Kill(os.Getpid(), sig); err != nil { // it would end the test
			t.Error(err)
		}
	}
}
