package naps

import "syscall"

// setSlack sets the timer slack of all threads, in nanoseconds, which later ones inherit. 0 stands for the slack that the process began with. With cgo, the
// runtime does not know all threads, and nothing happens. Source: PR_SET_TIMERSLACK(2const).
func setSlack(slack uintptr) {
	if env, _ := syscall.Getenv("GODEBUG"); !quiet(env) {
		syscall.AllThreadsSyscall(syscall.SYS_PRCTL, syscall.PR_SET_TIMERSLACK, slack, 0) //nolint:errcheck // it is only slower
	}
}

// quiet reports whether GODEBUG forbids the runtime to interrupt threads by signals, as setSlack does. Some tools that run a program need that.
func quiet(env string) bool {
	const off = "asyncpreemptoff=1"
	for i := range len(env) - len(off) + 1 { // package strings would be initialised later
		if env[i:i+len(off)] == off {
			return true
		}
	}
	return false
}
