//go:build !unix

package verify

import "time"

var started = time.Now()

// cpuTime is wall time where the system does not tell.
func cpuTime() time.Duration { return time.Since(started) }
