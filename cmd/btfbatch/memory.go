package main

import (
	"os"
	"runtime/debug"
	"sync"
)

// garbage is what may lie around before the collector runs, in per cent of what is in use. The memory of an encoding is a few
// large slices without pointers, so that the collector has next to nothing to look at; half of the usual 100 takes a fifth off
// the peak and costs no time that could be measured.
const garbage = 50

// collectOften is for the commands that encode. The environment variable GOGC counts more.
func collectOften() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
}

// collectLater is collectOften from the first progress on, which it passes on to next. Until then the memory of an image only grows:
// collecting it every few megabytes takes a hundredth of the time and frees nothing.
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
