package config

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
)

// ToolVersion is the version of this program, such as v1.2.3, which the key requires is compared with. The program sets it when it starts. A text
// that does not begin with a version, such as that of a build from a work tree, meets every requirement.
var ToolVersion string

// requirementPattern matches one comparison of requires.
const requirementPattern = `(?:>=|<=|>|<|=)\s*v?[0-9]+(?:\.[0-9]+){0,2}`

// untagged begins the version of a build of a commit before which there is no release.
const untagged = "v0.0.0-"

var (
	requirement  = regexp.MustCompile(`^(>=|<=|>|<|=)\s*v?([0-9]+(?:\.[0-9]+){0,2})$`)
	versionStart = regexp.MustCompile(`^v?([0-9]+\.[0-9]+(?:\.[0-9]+)?)(-)?`)
)

// requiresShape is a list of comparisons in one text.
func requiresShape([]string) *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: `^\s*` + requirementPattern + `(?:\s*,\s*` + requirementPattern + `)*\s*$`}
}

// readRequires compares the version of this program with the key requires. If it does not fit, further errors would be misleading.
func (r *report) readRequires(root *value) bool {
	e := root.get("requires")
	if e == nil {
		return true
	}
	v := e.value
	if v.kind != scalar || v.tag != "!!str" {
		r.add(v.position, "", "requires must be a string such as \">=1.2\", not %s", v.what())
		return true
	}
	for text := range strings.SplitSeq(v.text, ",") {
		m := requirement.FindStringSubmatch(strings.TrimSpace(text))
		if m == nil {
			r.add(v.position, "", "requires: %q is not a comparison with a version, such as >=1.2 or <2", strings.TrimSpace(text))
			return true
		}
		if !meets(ToolVersion, m[1], m[2]) {
			r.add(v.position, "", "the manifest requires btfbatch %s, and this is %s", strings.TrimSpace(v.text), ToolVersion)
			return false
		}
	}
	return true
}

// meets compares a version of the program with a bound. Parts that the bound lacks are 0. A version before a release, 1.2.0-rc.1, is older than it.
func meets(tool, op, bound string) bool {
	m := versionStart.FindStringSubmatch(tool)
	if m == nil || strings.HasPrefix(tool, untagged) {
		return true
	}
	order := 0
	have, want := strings.Split(m[1], "."), strings.Split(bound, ".")
	for i := 0; i < 3 && order == 0; i++ {
		order = cmp.Compare(number(have, i), number(want, i))
	}
	if order == 0 && m[2] != "" {
		order = -1
	}
	switch op {
	case ">=":
		return order >= 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	case "<":
		return order < 0
	}
	return order == 0
}

// number is a part of a version, or 0 if there is none.
func number(list []string, i int) uint64 {
	if i >= len(list) {
		return 0
	}
	n, err := strconv.ParseUint(list[i], 10, 64)
	if err != nil {
		return 1<<64 - 1 // a number of too many digits
	}
	return n
}
