//go:build !unix

package encoder

import "time"

// usage: this system does not tell.
func usage() (cpu time.Duration, peak uint64) { return 0, 0 }
