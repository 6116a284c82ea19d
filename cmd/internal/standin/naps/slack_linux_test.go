package naps

import (
	"runtime"
	"syscall"
	"testing"
)

// slack returns the timer slack of the current thread, in nanoseconds.
func slack(t *testing.T) uintptr {
	t.Helper()
	ns, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_GET_TIMERSLACK, 0, 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	return ns
}

// TestSlack: the slack of every thread changes, and returns to what it was.
func TestSlack(t *testing.T) {
	if _, _, errno := syscall.AllThreadsSyscall(syscall.SYS_GETPID, 0, 0, 0); errno != 0 {
		t.Skip("the test is built with cgo")
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	usual := slack(t)
	ask, told := make(chan bool), make(chan uintptr)
	go func() { // another thread, which is there before
		runtime.LockOSThread()
		for range ask {
			told <- slack(t)
		}
		close(told)
	}()
	for _, c := range []struct {
		name      string
		set, want uintptr
	}{{"as it was", 0, usual}, {"long", long, long}, {"as it was again", 0, usual}} {
		setSlack(c.set)
		ask <- true
		if here, there := slack(t), <-told; here != c.want || there != c.want {
			t.Errorf("%s: got %d and %d ns, want %d", c.name, here, there, c.want)
		}
	}
	close(ask)
	<-told
	if usual == long {
		t.Error("the usual slack is the long one: the test says nothing")
	}
}

func TestQuiet(t *testing.T) {
	for env, want := range map[string]bool{
		"":                                   false,
		"asyncpreemptoff=0":                  false,
		"asyncpreemptoff=1":                  true,
		"cpu.all=off,asyncpreemptoff=1,x=1":  true,
		"asyncpreemptoff=":                   false,
		"gctrace=1,inittrace=1,madvdontneed": false,
	} {
		if got := quiet(env); got != want {
			t.Errorf("%q: got %t", env, got)
		}
	}
}
