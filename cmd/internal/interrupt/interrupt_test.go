package interrupt

import (
	"sync/atomic"
	"testing"
	"time"
)

// The last line is written before the program ends, whether the command or the Interrupter ends it.
func TestLastWords(t *testing.T) {
	var said atomic.Bool
	speaking := make(chan struct{})
	i := Interrupter{Say: func() {
		close(speaking)
		time.Sleep(20 * time.Millisecond)
		said.Store(true)
	}}
	go i.LastLine()
	<-speaking
	if i.LastLine(); !said.Load() {
		t.Error("the program may end before the last line is written")
	}
}
