package publish

import (
	"os"
	"sync"
)

// working is locked for reading while files are created or moved, and for writing, permanently, by Stop.
var working sync.RWMutex

// unfinished holds the names of the temporary files of this program.
var unfinished sync.Map

// Stop prepares for the end of the program in the middle of its work: it waits until the current moves are complete, prevents further
// ones, and removes the temporary files. Publishing after Stop blocks forever.
func Stop() {
	working.Lock()
	unfinished.Range(func(name, _ any) bool {
		_ = os.Remove(name.(string)) // what cannot be removed is a leftover
		return true
	})
}
