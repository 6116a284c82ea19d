//go:build linux && (amd64 || arm64)

package atonce

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestArguments: the arguments are the first of those of package os, and only one if they are long.
func TestArguments(t *testing.T) {
	if list := os.Getenv("ATONCE_ARGUMENTS"); list != "" {
		want := os.Args[:min(enough, len(os.Args))]
		if list == "long" {
			want = want[:1]
		}
		if got := arguments(); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		return
	}
	for list, args := range map[string][]string{"short": {"", "a b", "-x\n"}, "long": {strings.Repeat("x", longest)}} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], append([]string{"-test.run=^TestArguments$", "--"}, args...)...)
		cmd.Env = append(os.Environ(), "ATONCE_ARGUMENTS="+list)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s arguments: %v\n%s", list, err, out)
		}
	}
}
