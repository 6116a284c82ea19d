// Package atonce answers calls of pahole that ask for its version only, and makes other calls of pahole use a single processor.
//
// Kernel builds ask for the version each time they read their configuration. On Linux, for amd64 and arm64, the package makes its own system calls and
// imports nothing but runtime, so its init function runs before nearly all others, even that of syscall; see package standin.
//
// Input: the arguments of the process. Output: the version, and the end of the process. Never: the package answers anything else.
package atonce

import "runtime"

// The output of --version and --numeric_version. Kernel builds choose their options by it.
const (
	Version        = "v1.32"
	NumericVersion = "132"
)

// Name is the name by which kernel builds call the program.
const Name = "pahole"

// Processors is the number of processors that the program could use when it began as pahole, otherwise 0.
var Processors int

func init() {
	argv := arguments()
	if text := answer(argv); text != "" && write(text) {
		exit()
	} // otherwise package standin reports the error
	// Goroutines that hand over to each other would wake further threads, which look for work for a while and find none. The earlier the
	// runtime gives up its other processors, the less memory they have that must be handed over.
	if Called(argv) {
		Processors = runtime.GOMAXPROCS(1)
	}
}

// Called reports whether the program was called as pahole.
func Called(argv []string) bool {
	if len(argv) == 0 {
		return false
	}
	base := argv[0]
	for i := len(base) - 1; i >= 0; i-- { // packages os and filepath would be initialised later
		if separates(base[i]) {
			return base[i+1:] == Name
		}
	}
	return base == Name
}

// answer returns the output of a call that asks for the version only, and nothing for other calls.
func answer(argv []string) string {
	if len(argv) != 2 || !Called(argv) {
		return ""
	}
	switch argv[1] {
	case "--version":
		return Version + "\n"
	case "--numeric_version":
		return NumericVersion + "\n"
	}
	return ""
}
