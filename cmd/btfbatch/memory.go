package main

import (
	"os"
	"runtime/debug"
	"sync"
)

// garbage is the value of GOGC for commands that encode. The memory of an encoding is a few large slices without pointers, which cost the
// collector next to nothing. Half of the usual 100 reduces the peak by a fifth and costs no measurable time.
const garbage = 50

// collectOften sets GOGC, unless the environment does.
func collectOften() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
}

// collectSeldom sets GOGC for a comparison or a dump, unless the environment does. Nearly everything that these allocate stays until it is
// shown, so that the collector would find little.
func collectSeldom() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(600)
	}
}

// collectLater calls collectOften at the first progress, which it passes on to next. Until then the memory of an image only grows:
// collecting every few megabytes would take one per cent of the time and free nothing.
func collectLater(next func(n int64)) func(n int64) {
	if os.Getenv("GOGC") != "" {
		return next
	}
	debug.SetGCPercent(-1)
	var first sync.Once
	return func(n int64) {
		first.Do(collectOften)
		next(n)
	}
}
