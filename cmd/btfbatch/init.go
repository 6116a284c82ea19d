package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/draft"
	"github.com/btfbatch/btfbatch/cmd/internal/paths"
	"github.com/btfbatch/btfbatch/cmd/internal/publish"
	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/encoder/input"
)

func newInit(a *app) *cobra.Command {
	var out string
	var most int
	cmd := &cobra.Command{
		Use:   "init [DIR|IMAGE|PACKAGE...]",
		Short: "Write a manifest for the images in a folder",
		Long: `Write a manifest for images: those that are given, and those in folders and the folders below. Without arguments, this folder is searched.
An image is an ELF file with DWARF, or a .deb or .rpm package that contains a kernel with DWARF. In folders, only packages with names such as
linux-image-6.12-amd64-dbg_6.12.deb and kernel-debuginfo-6.12.rpm are opened. The manifest has the architecture, kind and release of each
image, the kernel that a module belongs to, and the golden of the same name if there is one. Comments say what can be changed.

An existing file is never overwritten. The exit code is 1 if there is no image.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkUnpacked(most); err != nil {
				return err
			}
			if len(args) == 0 {
				args = []string{"."}
			}
			stdout := out == input.Stdin || standardOutput(out)
			dir, name := filepath.Dir(out), filepath.Base(out)
			if stdout {
				dir, name = ".", defaultManifest
			} else if err := newFile(out); err != nil {
				return usage(err)
			}
			d, err := draft.Find(cmd.Context(), args, dir, sources(cmd.Context(), most))
			if d != nil {
				for _, note := range d.Skipped {
					a.console.Note(note)
				}
			}
			if err != nil {
				return failed(err)
			}
			if d.NoDWARF > 0 {
				a.console.Note(fmt.Sprintf("ELF files without DWARF: %d; they are left out", d.NoDWARF))
			}
			if d.Packages > 0 {
				a.console.Note(fmt.Sprintf("packages that do not have the names of debug packages of kernels: %d; they are left out", d.Packages))
			}
			text := d.Text(name)
			if _, err := config.Parse(out, []byte(text), nil); err != nil {
				return failed(fmt.Errorf("the images need a manifest that init cannot write: %w", err))
			}
			if stdout {
				_, err = fmt.Fprint(cmd.OutOrStdout(), text)
				return failed(err)
			}
			if err := publish.New(out, text); err != nil {
				return failed(err)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: written; next: btfbatch validate %s\n", out, out)
			return failed(err)
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", defaultManifest, "`FILE` to write; "+input.Stdin+" is the standard output")
	maxUnpacked(cmd.Flags(), &most)
	return cmd
}

// newFile returns an error for the name of a file that exists or cannot be created.
func newFile(path string) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s exists and is not overwritten; name another file with --output, or %s for the standard output", path, input.Stdin)
	}
	return paths.Refuse(paths.Use{Path: path, Role: paths.Output, What: "--output"})
}
