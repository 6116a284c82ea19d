// Package kernel names the generations of Linux kernels that check BTF alike, and finds the one that a release belongs to.
//
// Input: a version as users write it, such as 6.1, v6.8 or 5.10.0-28-amd64. Output: the name of a generation, and a note if it is not
// the version that was given. Never: the package does not look at the running kernel, and knows no kernel's rules.
package kernel

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Newest is the name of the last generation, whichever it is.
const Newest = "newest"

// generations are the kernels whose rules were compared, oldest first.
var generations = []string{"5.10", "6.1", "6.12", "6.18", "7.2"}

// Generations lists the names, oldest first.
func Generations() []string { return slices.Clone(generations) }

// Words lists what stands for exactly one generation.
func Words() []string { return append(Generations(), Newest) }

// An Asked is a kernel that somebody names, and the generation by whose rules it is judged.
type Asked struct {
	Text       string // as it was written
	Generation string
	// Note says what Text was taken for, one line; it is empty when Text names the generation itself.
	Note string
}

// An UnknownError says that a text stands for no generation.
type UnknownError struct {
	Text    string
	Problem string
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("kernel %q %s; there are %s, and releases such as 6.8 or 5.10.0-28-amd64", e.Text, e.Problem, strings.Join(Words(), ", "))
}

// release is a number of two parts or more and whatever a distribution puts behind it.
var release = regexp.MustCompile(`^[vV]?([0-9]{1,3})\.([0-9]{1,4})([.~+_-][0-9A-Za-z.~+_-]{0,64})?$`)

// Find finds the generation of a kernel: that of its first two numbers, or else the nearest older one, whose rules hold until a later
// generation has others. What is newer than all is judged by the newest. An error is an *UnknownError.
func Find(text string) (Asked, error) {
	a := Asked{Text: text, Generation: text}
	if text == Newest {
		a.Generation = generations[len(generations)-1]
	}
	if slices.Contains(generations, a.Generation) {
		return a, nil
	}
	m := release.FindStringSubmatch(text)
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
		a.Note = fmt.Sprintf("kernel %s is judged as %s, the newest generation that is known; some of its rules may be others", text, a.Generation)
	default:
		a.Note = fmt.Sprintf("kernel %s is judged as %s, the generation before it; some of its rules may be those of %s", text, a.Generation,
			generations[i+1])
	}
	return a, nil
}

// SortsTypes tells whether the build of a kernel of that release puts the types of its BTF in the order of their names, as builds from
// 7.0 on do. It does not of what is no release.
func SortsTypes(text string) bool {
	m := release.FindStringSubmatch(text)
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

// numbers reads what consists of a few digits.
func numbers(major, minor string) (n number) {
	n.major, _ = strconv.Atoi(major)
	n.minor, _ = strconv.Atoi(minor)
	return n
}
