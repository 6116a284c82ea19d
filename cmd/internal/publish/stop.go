package publish

import (
	"os"
	"sync"
)

// working is locked for reading where files are made or take their places, and for writing, for ever, by Stop.
var working sync.RWMutex

// unfinished are the temporary files of this program.
var unfinished sync.Map

// Stop is for a program that is about to end in the middle of its work: it waits until the files that are being put in their places
// are there, lets no others follow, and removes the temporary files. Whoever publishes after that waits for ever.
func Stop() {
	working.Lock()
	unfinished.Range(func(name, _ any) bool {
		_ = os.Remove(name.(string)) // what cannot be removed is a leftover
		return true
	})
}
