package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/btffile"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/golden/dump"
)

var dumpFormats = map[string]func(w io.Writer, o *btf.Object, ptrSize int) error{
	"raw":         func(w io.Writer, o *btf.Object, _ int) error { return dump.WriteRaw(w, o) },
	"json":        func(w io.Writer, o *btf.Object, _ int) error { return dump.WriteJSON(w, o, false) },
	"json-pretty": func(w io.Writer, o *btf.Object, _ int) error { return dump.WriteJSON(w, o, true) },
	"c": func(w io.Writer, o *btf.Object, ptrSize int) error {
		return dump.WriteC(w, o, dump.COptions{PointerSize: ptrSize})
	},
	"c-unsorted": func(w io.Writer, o *btf.Object, ptrSize int) error {
		return dump.WriteC(w, o, dump.COptions{PointerSize: ptrSize, Unsorted: true})
	},
}

func newDump() *cobra.Command {
	var format, base string
	var pointers int
	cmd := &cobra.Command{
		Use:   "dump FILE",
		Short: "Print BTF in the formats of bpftool",
		Long: `Print BTF in the formats of bpftool. FILE is raw BTF or an ELF file with a section .BTF. It may be compressed, a pipe, or - for the
standard input. The base of split BTF is the file of --base, or otherwise the section .BTF.base of FILE.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			write, ok := dumpFormats[format]
			if !ok {
				return usage(fmt.Errorf("format %q is none of %s", format, strings.Join(slices.Sorted(maps.Keys(dumpFormats)), ", ")))
			}
			if err := pointerSize(cmd, pointers); err != nil {
				return err
			}
			if err := oneStdin(args[0], base); err != nil {
				return err
			}
			o, ptrSize, err := btffile.Object(args[0], base)
			if err != nil {
				return failed(err)
			}
			if pointers != 0 {
				ptrSize = pointers
			}
			return failed(write(cmd.OutOrStdout(), o, ptrSize))
		},
	}
	cmd.Flags().StringVar(&format, "format", "raw", "`FORMAT`: raw, json, json-pretty, c or c-unsorted")
	cmd.Flags().IntVar(&pointers, "pointer-size", 0, "`BYTES` of a pointer, 4 or 8, for the formats c and c-unsorted (default: that of the ELF file, or the\nsize of a type such as long unsigned int, or 8)")
	cmd.Flags().StringVar(&base, "base", "", "`FILE` with the base of split BTF: raw BTF or ELF")
	return cmd
}
