//go:build unix

package verify

import (
	"syscall"
	"time"
)

// cpuTime returns the CPU time of the process so far. Other processes on the machine do not affect it.
func cpuTime() time.Duration {
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
		panic(err)
	}
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}
