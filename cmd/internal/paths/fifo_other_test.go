//go:build !unix

package paths

import "os"

// mkfifo makes a folder, which is no regular file either.
func mkfifo(path string) error { return os.Mkdir(path, 0o700) }
