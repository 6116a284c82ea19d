package config

import (
	"strings"
	"testing"
)

// A manifest is read only by versions that it accepts, and by builds without a version.
func TestRequires(t *testing.T) {
	before := ToolVersion
	defer func() { ToolVersion = before }()
	for _, c := range []struct {
		tool, requires string
		want           string // in the error; empty for none
	}{
		{"v0.3.0", ">=0.3", ""}, {"v0.10.1", ">=0.3, <1", ""}, {"v1.0.0", "=1", ""}, {"v0.2.9", "<=0.3", ""}, {"v2.0.1", ">2", ""}, {"(devel)", ">=99", ""},
		{"", ">=99", ""}, {"v0.0.0-20261130020000-0123456789ab+dirty", ">=99", ""}, {"v0.2.9", ">=0.3", `m.yaml:2:11: requires: the manifest requires btfbatch >=0.3, and this is v0.2.9`},
		{"v0.3.0-rc.1", ">=0.3", "this is v0.3.0-rc.1"}, {"v1.0.0", ">=0.3, <1", "this is v1.0.0"}, {"v0.3.1", "=0.3", "this is"}, {"v0.9.0", ">0.10", "this is"},
		{"v0.3.0", "0.3", `requires: "0.3" is not a comparison`}, {"v0.3.0", ">=0.3,", `requires: "" is not a comparison`}, {"v0.3.0", ">=x", `">=x" is not a comparison`},
	} {
		ToolVersion = c.tool
		_, err := Parse("m.yaml", []byte("version: 1\nrequires: \""+c.requires+"\"\nimages: [{path: v}]\n"), nil)
		switch {
		case err == nil && c.want != "":
			t.Errorf("%s, requires %q: got no error, want %q", c.tool, c.requires, c.want)
		case err != nil && (c.want == "" || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s, requires %q: got %v, want %q", c.tool, c.requires, err, c.want)
		}
	}
	ToolVersion = "v0.1.0"
	_, err := Parse("m.yaml", []byte("version: 1\nrequires: \">=9\"\nimages: [{path: v, later: 1}]\n"), nil)
	if err == nil || strings.Contains(err.Error(), "later") {
		t.Errorf("keys of a later version: got %v, want only that the program is too old", err)
	}
}
