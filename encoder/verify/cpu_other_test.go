//go:build !unix

package verify

import "time"

var started = time.Now()

// cpuTime is wall time on systems without a CPU time.
func cpuTime() time.Duration { return time.Since(started) }
