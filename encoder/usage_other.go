//go:build !unix

package encoder

import "time"

// usage returns zeros: this system does not report CPU time and memory.
func usage() (cpu time.Duration, peak uint64) { return 0, 0 }
