package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/btffile"
	"github.com/btfbatch/btfbatch/cmd/internal/btffile/sides"
	"github.com/btfbatch/btfbatch/golden/history"
)

func newHistory() *cobra.Command {
	var (
		bases  []string
		format string
		inside packaged
	)
	cmd := &cobra.Command{
		Use:   "history NAME FILE...",
		Short: "Show since which file a type, member or function is as it is",
		Long: `Show what NAME is in each FILE, in the order in which the files are given: one row for each run of files in which it is the same.

NAME is a struct, union, enum, typedef, number, function, variable, section or enumerator, or the path of a member
(task_struct.on_cpu, page.lru). Paths skip anonymous structs and unions, and continue in structs that are held by
value (task_struct.se.load.weight). If the name has several meanings, put the kind before it: struct:NAME, func:NAME,
member:PATH, enumerator:NAME.

Each FILE is raw BTF, an ELF file with a section .BTF, or a raw dump, plain or compressed, or is in a package (see
--member); one of them may be - for the standard input. A struct is the same if its members are: their names, types by name, offsets and sizes. The place of a
variable in its section does not count.

Exits with 0 when at least one file has NAME, 1 when none has it or a file cannot be read, and 2 for wrong usage or an
ambiguous NAME.
` + orReferences,
		Args: cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if format != "text" && format != "json" {
				return usage(fmt.Errorf("format %q is none of text, json", format))
			}
			open, err := inside.openers(cmd, addresses(args[1:]), addresses(bases))
			if err != nil {
				return err
			}
			h, err := readHistory(open, args[0], args[1:], bases)
			if err != nil {
				return err
			}
			if err := h.Check(); err != nil {
				if _, ambiguous := errors.AsType[*history.Ambiguous](err); ambiguous {
					return usage(err)
				}
				return failed(err)
			}
			if format == "json" {
				return failed(h.JSON(cmd.OutOrStdout()))
			}
			return failed(h.Text(cmd.OutOrStdout()))
		},
	}
	flags := cmd.Flags()
	inside.flags(flags)
	inside.base.flags(flags)
	flags.StringSliceVar(&bases, "base", nil, "`FILE` with the BTF that all continue, or one for each FILE, in their order, separated by commas")
	flags.StringVar(&format, "format", "text", "`FORMAT`: text or json")
	return cmd
}

// readHistory reads the files one after another.
func readHistory(open btffile.Openers, name string, files, bases []string) (*history.History, error) {
	h, err := history.New(name)
	if err != nil {
		return nil, usage(err)
	}
	if n := len(bases); n > 1 && n != len(files) {
		return nil, usage(fmt.Errorf("--base has %d files for %d: give one, or one for each", n, len(files)))
	}
	if err := oneStdin(slices.Concat(files, bases)...); err != nil {
		return nil, err
	}
	var from sides.Bases
	for i, file := range files {
		base := ""
		switch len(bases) {
		case 0:
		case 1:
			base = bases[0]
		default:
			base = bases[i]
		}
		c, err := from.ToCompare(open, file, base)
		if err != nil {
			return nil, failed(err)
		}
		if c.Selected != nil {
			return nil, failed(fmt.Errorf("%s is a golden of selected declarations, which do not have all types", file))
		}
		if c.Empty { // split BTF without types has an empty dump, and so has a program that failed
			return nil, failed(fmt.Errorf("%s is empty: it has no types", file))
		}
		h.Add(c.Input)
	}
	return h, nil
}
