package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/golden/report"
)

// The version of the build. Packagers set it with
//
//	go build -ldflags "-X main.version=v1.2.3 -X main.commit=0123abc -X main.date=2026-01-02" ./cmd/btfbatch
//
// Values that are not set are taken from the build information that the go command stores in the program.
var version, commit, date string

// reference is the program whose output the profile pahole reproduces.
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

// A build identifies the build of the program.
type build struct {
	version, commit, date string
	modified              bool // built with changes on top of the commit
}

// thisBuild returns the values that were set when the program was built, completed from the build information.
func thisBuild() build {
	b := build{version: version, commit: commit, date: date}
	if info, ok := debug.ReadBuildInfo(); ok {
		b.complete(info)
	}
	b.version = cmp.Or(b.version, "(devel)")
	return b
}

// complete sets the missing values from the build information. If the commit is set, it leaves the date alone, because the date of the build
// information may belong to another commit.
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

// tool returns the program for a report, without the digest of its file.
func (b build) tool() report.Tool {
	return report.Tool{Name: "btfbatch", Version: b.version, Commit: b.commit, Modified: b.modified}
}

// text returns the output of the command version.
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
