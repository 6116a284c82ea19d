package main

import (
	"os"
	"runtime/debug"
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
