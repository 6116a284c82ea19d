//go:build !unix

package publish

import (
	"io/fs"
	"os"
)

// movesOpen says that an open file can be renamed and removed. Here it cannot, which protects it as a lock would.
var movesOpen = false

// busy reports that no other program holds a lock: see movesOpen.
func busy(*os.File) bool { return false }

// keepOwner does nothing: owners are not numbers here.
func keepOwner(*os.File, fs.FileInfo) error { return nil }
