package main

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// defaultManifest is the manifest of commands that are called without one.
const defaultManifest = "btfbatch.yaml"

var errNoManifest = errors.New("no manifest is given, and there is no " + defaultManifest + " in this folder; btfbatch init writes one")

// manifestByDefault lets commands whose usage has [MANIFEST] be called without one. They receive defaultManifest instead.
func manifestByDefault(cmd *cobra.Command) {
	for _, c := range cmd.Commands() {
		manifestByDefault(c)
	}
	if !strings.Contains(cmd.Use, "[MANIFEST]") {
		return
	}
	check, run := cmd.Args, cmd.RunE
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			if _, err := os.Stat(defaultManifest); errors.Is(err, fs.ErrNotExist) {
				return errNoManifest
			}
		}
		return check(cmd, withManifest(args))
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return run(cmd, withManifest(args)) }
	cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
	}
}

func withManifest(args []string) []string {
	if len(args) == 0 {
		return []string{defaultManifest}
	}
	return args
}
