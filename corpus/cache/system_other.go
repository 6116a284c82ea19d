//go:build !unix || solaris || aix

package cache

import (
	"os"
	"time"
)

// movesOpen says that a file can be renamed and removed while it is open.
const movesOpen = false

func mine(*os.File) bool { return true }

// abandoned reports whether a temporary file is so old that the process that wrote it must have ended.
func abandoned(f *os.File) bool {
	st, err := f.Stat()
	return err == nil && time.Since(st.ModTime()) > 24*time.Hour
}
