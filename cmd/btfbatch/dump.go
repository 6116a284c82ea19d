package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/btffile/sides"
	"github.com/btfbatch/btfbatch/cmd/internal/earlydump"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/golden/dump"
	"github.com/btfbatch/btfbatch/golden/selected"
)

// formatSelected is the format that depends on --select.
const formatSelected = "selected"

func newDump() *cobra.Command {
	var format, base string
	var patterns []string
	var pointers int
	var inside packaged
	cmd := &cobra.Command{
		Use:   "dump FILE",
		Short: "Print BTF in the formats of bpftool, or selected declarations",
		Long: `Print BTF in the formats of bpftool. FILE is raw BTF, an ELF file with a section .BTF, or a kernel as it boots (bzImage, Image, vmlinuz.efi). It may be compressed, a pipe, a file in a package
(see --member), or - for the standard input. The base of split BTF is the file of --base, or otherwise the section .BTF.base of FILE.

The format selected prints the declarations that --select names, as a golden of the policy selected has them.
` + orReferences,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := earlydump.Failed(); err != nil {
				return failed(err)
			}
			if formats := append(dump.Formats(), formatSelected); !slices.Contains(formats, format) {
				return usage(fmt.Errorf("format %q is none of %s", format, strings.Join(formats, ", ")))
			}
			if (format == formatSelected) != (patterns != nil) {
				return usage(errors.New("--select and --format selected need each other"))
			}
			write := func(w io.Writer, o *btf.Object, ptrSize int) error { return dump.Write(w, o, format, ptrSize) }
			if patterns != nil {
				s, err := selected.ParseSelection(patterns)
				if err != nil {
					return usage(fmt.Errorf("--select: %w", err))
				}
				write = func(w io.Writer, o *btf.Object, _ int) error { return writeSelected(w, o, s) }
			}
			if err := pointerSize(cmd, pointers); err != nil {
				return err
			}
			if err := oneStdin(args[0], base); err != nil {
				return err
			}
			open, err := inside.openers(cmd, addresses(args), []*string{&base})
			if err != nil {
				return err
			}
			collectSeldom()
			o, ptrSize, err := sides.Object(open, args[0], base)
			if err != nil {
				return failed(err)
			}
			if pointers != 0 {
				ptrSize = pointers
			}
			return failed(write(cmd.OutOrStdout(), o, ptrSize))
		},
	}
	cmd.Flags().StringVar(&format, "format", "raw", "`FORMAT`: raw, json, json-pretty, c, c-unsorted or selected")
	cmd.Flags().StringSliceVar(&patterns, "select", nil, "print the declarations of these `NAMES` (patterns, perhaps after a kind: struct:task_*), with --format selected")
	cmd.Flags().IntVar(&pointers, "pointer-size", 0, "`BYTES` of a pointer, 4 or 8, for the formats c and c-unsorted (default: that of the ELF file, or the\nsize of a type such as long unsigned int, or 8)")
	inside.flags(cmd.Flags())
	cmd.Flags().StringVar(&base, "base", "", "`FILE` with the base of split BTF: raw BTF, ELF, a kernel as it boots or a package")
	inside.base.flags(cmd.Flags())
	return cmd
}

// writeSelected writes the selected declarations of BTF, which must have all that the selection names.
func writeSelected(w io.Writer, o *btf.Object, s *selected.Selection) error {
	if missing := s.Missing(o); missing != nil {
		return fmt.Errorf("there is nothing of the name %s", strings.Join(missing, ", "))
	}
	text, err := selected.Append(nil, o, s)
	if err == nil {
		_, err = w.Write(text)
	}
	return err
}
