package standin

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
)

// garbage is the value of GOGC for a large encoding, as in the other commands.
const garbage = 50

// lateHeap is the memory in bytes at which the collector starts after collectLate: more than the encoding of most modules takes.
const lateHeap = 64 << 20

// collectLate sets GOGC to garbage from the time when the program has lateHeap of memory, unless the environment sets GOGC. Encoding a module
// takes a few milliseconds, and collecting the memory of its base would be a tenth of that.
func collectLate() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(lateHeap)
	first := new([16]byte)
	runtime.SetFinalizer(first, func(*[16]byte) { // the first collection
		debug.SetGCPercent(garbage)
		debug.SetMemoryLimit(math.MaxInt64)
	})
}
