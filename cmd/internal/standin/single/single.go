// Package single makes calls of pahole begin with a single processor.
//
// Goroutines that hand over to each other would wake further threads, which look for work for a while and find none. The earlier the runtime gives up
// its other processors, the less memory they have that must be handed over. So the package imports nothing that has to be initialised before it.
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
		Processors = runtime.GOMAXPROCS(1)
	}
}
