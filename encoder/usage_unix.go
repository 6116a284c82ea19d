//go:build unix

package encoder

import (
	"runtime"
	"syscall"
	"time"
)

// usage returns the CPU time of the process so far, and its largest resident set so far, in bytes.
func usage() (cpu time.Duration, peak uint64) {
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
		return 0, 0
	}
	peak = uint64(ru.Maxrss)
	if runtime.GOOS != "darwin" && runtime.GOOS != "ios" { // other systems count in KiB
		peak <<= 10
	}
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano()), peak
}
