package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/btffile"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/corpus/source"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/input"
)

// A packaged is the flag of commands whose files may be packages. Of a package, they read one file.
type packaged struct {
	member string
}

func (p *packaged) flag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.member, "member", "", "`PATTERN` of the file to read in a .deb or .rpm package, such as '**/tun.ko' (default: the kernel of a debug package);\nseveral matches are an error")
}

// opener returns what opens the files of a command, which are at the given paths.
func (p *packaged) opener(cmd *cobra.Command, paths ...string) (btffile.Opener, error) {
	if p.member != "" {
		if err := corpus.CheckMember(p.member); err != nil {
			return nil, usage(fmt.Errorf("--member: %w", err))
		}
		if !slices.ContainsFunc(paths, func(path string) bool { return packageKind(path) != "" }) {
			return nil, usage(fmt.Errorf("--member requires a package, and %s is none", strings.Join(paths, ", ")))
		}
	}
	return func(path string, want ...input.Kind) (*input.File, error) {
		if kind := packageKind(path); kind != "" {
			return p.open(cmd.Context(), source.Ref{Kind: kind, Where: path})
		}
		return input.Open(path, want...)
	}, nil
}

// open opens the file in a package.
func (p *packaged) open(ctx context.Context, ref source.Ref) (*input.File, error) {
	file, err := corpus.FileFrom(ctx, ref, p.member, sources(ctx, input.Highest>>20))
	if err != nil {
		return nil, err
	}
	image, err := file.Open(ctx)
	if err != nil {
		return nil, err
	}
	return image.Input, nil
}

// image opens an image with DWARF. Files with its debug information are searched for beside it, unless it is in a package.
func (p *packaged) image(open btffile.Opener, path string) (*elf.File, error) {
	if packageKind(path) == "" {
		return elf.Open(path)
	}
	in, err := open(path, input.ELF)
	if err != nil {
		return nil, err
	}
	f, err := elf.FromInput(in)
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	return f, nil
}

// packageKind returns the kind of the package that is a regular file at a path, or "".
func packageKind(path string) source.Kind {
	if path == input.Stdin {
		return ""
	}
	f, _, err := input.OpenRaw(path)
	if err != nil {
		return "" // whoever opens it again reports that
	}
	defer f.Close()
	head := make([]byte, 64)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return ""
	}
	switch input.Recognise(head[:n]) {
	case input.Deb:
		return source.KindDeb
	case input.RPM:
		return source.KindRPM
	}
	return ""
}
