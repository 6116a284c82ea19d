//go:build !unix

package publish

import (
	"io/fs"
	"os"
)

// movesOpen says that an open file can take its place, and be removed: here it cannot, which is as good as a lock.
var movesOpen = false

// busy is for systems that have locks.
func busy(*os.File) bool { return false }

// keepOwner is for systems whose owners are numbers.
func keepOwner(*os.File, fs.FileInfo) error { return nil }
