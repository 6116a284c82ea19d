package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/btfbatch/btfbatch/cmd/internal/batch"
	"github.com/btfbatch/btfbatch/cmd/internal/btffile"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/corpus/source"
	"github.com/btfbatch/btfbatch/corpus/source/http"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/input"
)

// A packaged has the flags of commands whose files may be packages, of which they read one file, or on servers.
type packaged struct {
	member string
	base   packagedBase
	most   int // MiB

	refs references
	from corpus.Sources
}

// opener is that of references for the files of a command.
func (p *packaged) opener(ctx context.Context, member string) btffile.Opener {
	return p.refs.opener(ctx, member, p.from)
}

// orReferences is the end of the help of these commands.
const orReferences = `
In place of a path, files to read may be given as deb=FILE_OR_URL, rpm=FILE_OR_URL, apt=SUITE/ARCH/PACKAGE, url=URL or
debuginfod=BUILD_ID, as in encode --from.`

// A packagedBase is the flag of commands whose bases may be packages.
type packagedBase struct{ member string }

func (p *packaged) flags(flags *pflag.FlagSet) {
	flags.StringVar(&p.member, "member", "", "`PATTERN` of the file to read in a .deb or .rpm package, such as '**/tun.ko' (default: the kernel);\nseveral matches are an error")
	maxUnpacked(flags, &p.most)
}

func (b *packagedBase) flags(flags *pflag.FlagSet) {
	flags.StringVar(&b.member, "base-member", "", "`PATTERN` of the base in the package of --base (default: the kernel)")
}

// openers returns what opens the files of a command, and their bases. Both are paths, packages, or references as those of --from. Paths that
// are URLs lose their passwords, because they become names in outputs and messages.
func (p *packaged) openers(cmd *cobra.Command, files, bases []*string) (btffile.Openers, error) {
	all := slices.Concat(files, bases)
	if err := errors.Join(inPackage("member", p.member, files), inPackage("base-member", p.base.member, bases)); err != nil {
		return btffile.Openers{}, err
	}
	if cmd.Flags().Changed("max-unpacked") {
		if err := errors.Join(checkUnpacked(p.most), isPackaged("max-unpacked", all)); err != nil {
			return btffile.Openers{}, err
		}
	}
	p.refs = named(all)
	p.from = sources(cmd.Context(), p.most) // one for all files: each index of an archive is read once
	return btffile.Openers{File: p.opener(cmd.Context(), p.member), Base: p.opener(cmd.Context(), p.base.member)}, nil
}

// A references has what paths stand for whose URLs have lost their passwords.
type references map[string]source.Ref

// named takes the passwords out of the URLs of references.
func named(paths []*string) references {
	refs := references{}
	for _, path := range paths {
		ref, ok, _ := refOf(*path)
		if ok && input.IsURL(ref.Where) {
			*path = string(ref.Kind) + "=" + http.Redacted(ref.Where)
			refs[*path] = ref
		}
	}
	return refs
}

// of is refOf for a path that may have lost its password.
func (r references) of(path string) (ref source.Ref, ok bool, err error) {
	if ref, ok := r[path]; ok {
		return ref, true, nil
	}
	return refOf(path)
}

// addresses returns pointers to the elements of a list.
func addresses(list []string) []*string {
	all := make([]*string, len(list))
	for i := range list {
		all[i] = &list[i]
	}
	return all
}

// inPackage checks a flag with a pattern of files in packages.
func inPackage(flag, pattern string, paths []*string) error {
	if pattern == "" {
		return nil
	}
	if err := corpus.CheckMember(pattern); err != nil {
		return usage(fmt.Errorf("--%s: %w", flag, err))
	}
	return isPackaged(flag, paths)
}

// isPackaged checks that one of the paths is a package or a reference, which a flag requires.
func isPackaged(flag string, paths []*string) error {
	var plain []string
	for _, path := range paths {
		if !isPlain(*path) {
			return nil
		}
		if *path != "" {
			plain = append(plain, *path)
		}
	}
	if len(plain) == 0 {
		return usage(fmt.Errorf("--%s requires a package", flag))
	}
	return usage(fmt.Errorf("--%s requires a package, and %s is none", flag, strings.Join(plain, ", ")))
}

// opener returns what opens the file at a path, the file of a package that a pattern matches, or what a reference stands for.
func (r references) opener(ctx context.Context, member string, from corpus.Sources) btffile.Opener {
	return func(path string, want ...input.Kind) (*input.File, error) {
		ref, ok, err := r.of(path)
		switch {
		case err != nil:
			return nil, err
		case !ok:
			return input.Open(path, want...)
		}
		return corpus.OpenBTF(ctx, ref, member, from, want...)
	}
}

// image opens an image with DWARF. Files with its debug information are searched for beside it, unless it is in a package or on a server.
func (p *packaged) image(ctx context.Context, path string) (*elf.File, error) {
	ref, ok, err := p.refs.of(path)
	if err != nil {
		return nil, err
	}
	if !ok {
		return elf.Open(path)
	}
	file, err := corpus.FileFrom(ctx, ref, p.member, p.from)
	if err != nil {
		return nil, err
	}
	image, err := file.Open(ctx)
	if err != nil {
		return nil, err
	}
	return image.File, nil
}

// job sets where the image of a job comes from, and its base. An error of the image is one of the job.
func (p *packaged) job(ctx context.Context, job *batch.Job, path string) {
	if !isPlain(job.BaseFile) {
		job.OpenBase = p.opener(ctx, p.base.member)
	}
	ref, ok, err := p.refs.of(path)
	switch {
	case err != nil:
		job.Err = err
	case !ok:
		job.File = corpus.FileAt(path, corpus.Pins{})
	default:
		job.File, job.Err = corpus.FileFrom(ctx, ref, p.member, p.from)
	}
}

// isPlain reports whether a path leads to a file that is no package.
func isPlain(path string) bool {
	_, ok, err := refOf(path)
	return !ok && err == nil
}

// refOf returns what a path stands for if it is written as a value of --from, or if it leads to a package.
func refOf(path string) (ref source.Ref, ok bool, err error) {
	kind, _, found := strings.Cut(path, "=")
	if found && slices.Contains(source.Kinds, source.Kind(kind)) {
		if ref, err = source.ParseRef(path); err != nil {
			return ref, false, fmt.Errorf("%w; if it is the name of a file, write ./%s", err, path)
		}
		return ref, true, nil
	}
	if kind := corpus.PackageAt(path); kind != "" {
		return source.Ref{Kind: kind, Where: path}, true, nil
	}
	return ref, false, nil
}

// localFile returns the path of the file that a path or a reference leads to, or else the text itself.
func localFile(path string) string {
	if ref, ok, _ := refOf(path); ok && (ref.Kind == source.KindDeb || ref.Kind == source.KindRPM) {
		return ref.Where
	}
	return path
}
