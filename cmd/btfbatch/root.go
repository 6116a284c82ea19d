package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/console"
	"github.com/btfbatch/btfbatch/cmd/internal/interrupt"
)

// An app has the state that all subcommands share.
type app struct {
	logFormat, logLevel string
	console             *console.Console
	interrupts          *interrupt.Interrupter
	progress            console.Mode // of the commands that run a batch
}

func newRoot(voice *console.Console, interrupts *interrupt.Interrupter) *cobra.Command {
	var tellVersion bool
	a := &app{console: voice, interrupts: interrupts}
	root := &cobra.Command{
		Use:   "btfbatch",
		Short: "Make BTF from the DWARF of kernel images",
		Long: `Make BTF from the DWARF of kernel images: of one image, or of all images in a manifest.

Exit codes: 0 all good, 1 an image failed, 2 usage or manifest, 3 golden difference, 75 run a shard again, 130 interrupted.`,
		SilenceUsage: true, SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if tellVersion {
				return printVersion(cmd, nil)
			}
			return cmd.Help()
		},
		PersistentPreRunE: func(cmd *cobra.Command, args []string) error {
			c, err := console.New(cmd.ErrOrStderr(), a.logFormat, a.logLevel)
			if err != nil {
				return usage(err)
			}
			a.console = c
			cmd.SetContext(context.WithValue(cmd.Context(), consoleKey{}, c))
			if cmd.DisableFlagParsing { // the command parses its own arguments
				return nil
			}
			return usage(errors.Join(checkFlags(cmd.Flags()), checkArguments(args)))
		},
	}
	root.PersistentFlags().StringVar(&a.logFormat, "log-format", "human", "`FORMAT` of log lines: human or json")
	root.PersistentFlags().StringVar(&a.logLevel, "log-level", "info", "lowest `LEVEL` to log: debug, info, warn or error")
	root.Flags().BoolVar(&tellVersion, "version", false, "print the version")
	root.SetHelpFunc(writeHelp)
	root.SetHelpCommand(newHelp())
	root.CompletionOptions.HiddenDefaultCmd = true
	addGroups(root, []group{
		{"batch", "A batch of images:", []*cobra.Command{
			newInit(a),
			newValidate(a),
			newSources(),
			newLock(a),
			newPlan(),
			newRun(a),
			newSubmit(a),
			newGolden(),
			newReport(a),
			newCache(),
		}},
		{"image", "One image:", []*cobra.Command{
			newEncode(a),
			newEmbed(a),
			newVerify(a),
			newExplain(a),
			newStats(),
		}},
		{"btf", "Existing BTF:", []*cobra.Command{
			newDump(),
			newDiff(a),
			newHistory(),
		}},
		{"more", "More:", []*cobra.Command{
			newPahole(),
			newSchema(),
			newMan(),
			newVersion(),
		}},
	})
	root.SetHelpCommandGroupID("more")
	root.SetCompletionCommandGroupID("more")
	manifestByDefault(root)
	addExamples(root)
	return root
}

// A group is a part of the list of commands, in the order in which they are used.
type group struct {
	id, title string
	commands  []*cobra.Command
}

// addGroups adds the commands of groups.
func addGroups(root *cobra.Command, groups []group) {
	cobra.EnableCommandSorting = false
	for _, g := range groups {
		root.AddGroup(&cobra.Group{ID: g.id, Title: g.title})
		for _, c := range g.commands {
			c.GroupID = g.id
		}
		root.AddCommand(g.commands...)
	}
}
