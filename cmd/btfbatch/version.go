package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// What a build says of itself, for those who build packages:
//
//	go build -ldflags "-X main.version=v1.2.3 -X main.commit=0123abc -X main.date=2026-01-02" ./cmd/btfbatch
//
// What is not set comes from the build information that the go command leaves in the program.
var version, commit, date string

// reference is what the profile pahole follows.
const reference = "pahole 1.32"

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE:  printVersion,
	}
}

func printVersion(cmd *cobra.Command, _ []string) error {
	_, err := fmt.Fprint(cmd.OutOrStdout(), thisBuild().text())
	return failed(err)
}

// A build says which program this is.
type build struct {
	version, commit, date string
	modified              bool // the commit is not all that it was built from
}

// thisBuild is what was set when the program was built, or else what the go command knows.
func thisBuild() build {
	b := build{version: version, commit: commit, date: date}
	if info, ok := debug.ReadBuildInfo(); ok {
		b.complete(info)
	}
	b.version = cmp.Or(b.version, "(devel)")
	return b
}

// complete takes from build information what is not set. The commit and its date belong together.
func (b *build) complete(info *debug.BuildInfo) {
	b.version = cmp.Or(b.version, info.Main.Version)
	if b.commit != "" {
		return
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.commit = s.Value
		case "vcs.time":
			b.date = cmp.Or(b.date, s.Value)
		case "vcs.modified":
			b.modified = s.Value == "true"
		}
	}
}

// text is what the command version prints.
func (b build) text() string {
	var t strings.Builder
	fmt.Fprintf(&t, "btfbatch %s\n", b.version)
	if b.commit != "" {
		fmt.Fprintf(&t, "commit %s", b.commit)
		if b.modified {
			t.WriteString(", modified")
		}
		t.WriteByte('\n')
	}
	if b.date != "" {
		fmt.Fprintf(&t, "date %s\n", b.date)
	}
	fmt.Fprintf(&t, "%s %s/%s\nprofile pahole: as %s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, reference)
	return t.String()
}
