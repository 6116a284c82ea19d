package kernel

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Newest stands for the last generation that the package knows.
const Newest = "newest"

// generations are the kernels against which the rules of package verify were tested, oldest first.
var generations = []string{"5.10", "6.1", "6.12", "6.18", "7.2"}

// Generations returns the names of the generations, oldest first.
func Generations() []string { return slices.Clone(generations) }

// Words returns the texts that name a generation: the results of Generations, and Newest.
func Words() []string { return append(Generations(), Newest) }

// An Asked is a kernel that a user named, with its generation.
type Asked struct {
	Text       string // as the user wrote it
	Generation string
	// Note is one line that says which generation's rules apply, and why. It is empty if Text names the generation itself.
	Note string
}

// An UnknownError says that no generation is known for a text.
type UnknownError struct {
	Text    string
	Problem string
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("kernel %q %s; there are %s, and releases such as 6.8 or 5.10.0-28-amd64", e.Text, e.Problem, strings.Join(Words(), ", "))
}

// ReleasePattern is a regular expression, without anchors, for the releases that Find takes: a version number of two or more parts, followed
// by what a distribution adds to it. Find refuses releases that are older than the oldest generation.
const ReleasePattern = `[vV]?([0-9]{1,3})\.([0-9]{1,4})([.~+_-][0-9A-Za-z.~+_-]{0,64})?`

// release is compiled when it is first used: that takes half as long as the whole start of the program.
var release = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^` + ReleasePattern + `$`) })

// Find returns the generation of a kernel: the one with the same first two numbers, or else the nearest older one. Kernels that are newer than
// all generations belong to the newest one. Every error is an *UnknownError.
func Find(text string) (Asked, error) {
	a := Asked{Text: text, Generation: text}
	if text == Newest {
		a.Generation = generations[len(generations)-1]
	}
	if slices.Contains(generations, a.Generation) {
		return a, nil
	}
	m := release().FindStringSubmatch(text)
	if m == nil {
		return a, &UnknownError{text, "is not known"}
	}
	v := numbers(m[1], m[2])
	i := len(generations) - 1
	for i >= 0 && v.before(parse(generations[i])) {
		i--
	}
	if i < 0 {
		return a, &UnknownError{text, "is older than the oldest generation that is known"}
	}
	a.Generation = generations[i]
	switch {
	case v == parse(a.Generation):
		a.Note = fmt.Sprintf("kernel %s is judged as %s", text, a.Generation)
	case i == len(generations)-1:
		a.Note = fmt.Sprintf("kernel %s is judged as %s, the newest generation that is known; some of its rules may differ", text, a.Generation)
	default:
		a.Note = fmt.Sprintf("kernel %s is judged as %s, the generation before it; some of its rules may be those of %s", text, a.Generation,
			generations[i+1])
	}
	return a, nil
}

// SortsTypes reports whether the build of a kernel with this release sorts the types of its BTF by name, as builds since 7.0 do. It is false for
// a text that is not a release.
func SortsTypes(text string) bool {
	m := release().FindStringSubmatch(text)
	return m != nil && !numbers(m[1], m[2]).before(number{7, 0})
}

// A number is the first two parts of a release.
type number struct{ major, minor int }

func (n number) before(o number) bool {
	return n.major < o.major || n.major == o.major && n.minor < o.minor
}

func parse(name string) number {
	major, minor, _ := strings.Cut(name, ".")
	return numbers(major, minor)
}

// numbers parses two strings of a few digits.
func numbers(major, minor string) (n number) {
	n.major, _ = strconv.Atoi(major)
	n.minor, _ = strconv.Atoi(minor)
	return n
}
