// Package single makes calls of pahole begin with a single processor, and a stack that need not grow.
//
// Goroutines that hand over to each other would wake further threads, which look for work for a while and find none. The earlier the runtime gives up
// its other processors, the less memory they have that must be handed over. And a stack that grows while the packages are initialised, and again
// for the encoder, is copied each time. So the package imports nothing that has to be initialised before it.
//
// Input: the arguments of the process. Output: the number of processors that it may ask for. Never: other commands are affected.
package single

import (
	"runtime"

	"github.com/btfbatch/btfbatch/cmd/internal/standin/atonce"
)

// Processors is the number of processors that the program could use when it began as pahole, otherwise 0.
var Processors int

func init() {
	if atonce.AsPahole {
		grow(false)
		Processors = runtime.GOMAXPROCS(1)
	}
}

// stack is as much as the encoder makes room for.
const stack = 160 << 10

// grow makes the stack grow to stack. use is false: its frame has the room although nothing is put there.
//
//go:noinline
func grow(use bool) {
	if use {
		var room [stack]byte
		fill(&room)
	}
}

//go:noinline
func fill(room *[stack]byte) { room[0] = 1 }
