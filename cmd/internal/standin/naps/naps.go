// Package naps lets the runtime's monitor sleep longer in brief calls of pahole.
//
// The monitor is a thread that looks after the goroutines and the garbage collector. It wakes every 20 microseconds at first, and less often when it has
// found nothing to do for a while. A brief call has one goroutine and no garbage collection, and ends after a hundred such naps. On virtual machines,
// where a timer is dear, they take a twentieth of its time. Linux may end the sleep of a thread late, by its timer slack. So a call begins with a slack
// of more than it takes.
//
// Input: the arguments of the process. Output: the timer slack of its threads. Never: other commands are affected.
package naps

import "github.com/btfbatch/btfbatch/cmd/internal/standin/atonce"

// long is a slack in nanoseconds.
const long = 20e6

func init() {
	if atonce.AsPahole {
		setSlack(long)
	}
}

// End gives the threads the slack that the process began with. A call that is not brief needs it, to notice a signal at once.
func End() {
	if atonce.AsPahole {
		setSlack(0)
	}
}
