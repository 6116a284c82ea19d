//go:build unix

package verify

import (
	"syscall"
	"time"
)

// cpuTime is what the process has used so far: it does not count when the machine has other work.
func cpuTime() time.Duration {
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
		panic(err)
	}
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}
