// Package atonce answers calls of pahole that ask for its version only.
//
// Kernel builds ask for the version each time they read their configuration. On Linux, for amd64 and arm64, the package makes its own system calls and
// imports nothing, not even runtime, so its init function runs before nearly all others; see package standin.
//
// Input: the arguments of the process. Output: the version, and the end of the process. Never: the package answers anything else.
package atonce

// The output of --version and --numeric_version. Kernel builds choose their options by it.
const (
	Version        = "v1.32"
	NumericVersion = "132"
)

// Name is the name by which kernel builds call the program.
const Name = "pahole"

// AsPahole is whether the process was called as pahole.
var AsPahole bool

func init() {
	argv := arguments()
	if text := answer(argv); text != "" && write(text) {
		exit()
	} // otherwise package standin reports the error
	AsPahole = Called(argv)
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
