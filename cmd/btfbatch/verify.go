package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/judge"
	"github.com/btfbatch/btfbatch/encoder/verify"
	"github.com/btfbatch/btfbatch/golden/escape"
)

func newVerify(a *app) *cobra.Command {
	var q judge.Question
	var strict bool
	var inside packaged
	cmd := &cobra.Command{
		Use:   "verify FILE",
		Short: "Check BTF as a kernel would",
		Long: `Check BTF as a kernel would. FILE is raw BTF, an ELF file with a section .BTF (and .BTF.base), or a kernel as it boots (bzImage, Image,
vmlinuz.efi), plain or compressed, a file in a package (see --member), or - for the standard input. The exit code is 0 if the kernel accepts it,
1 if it refuses it, and 2 if there is no verdict, for example because FILE is not BTF, or is split and --base is missing. A refusal prints the last
line of the kernel's log on the standard error output, followed by an explanation. With --lint there are also warnings about problems that no
kernel refuses; they change the exit code only with --strict-lint.
` + orReferences,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			q.Lint = q.Lint || strict
			if err := needs(cmd, "loss", "earlier"); err != nil {
				return err
			}
			if q.Earlier != "" && !q.Lint {
				return usage(errors.New("--earlier requires --lint"))
			}
			if err := oneStdin(args[0], q.Base, q.Earlier); err != nil {
				return err
			}
			if err := pointerSize(cmd, q.PtrSize); err != nil {
				return err
			}
			open, err := inside.openers(cmd, []*string{&args[0], &q.Earlier}, []*string{&q.Base})
			if err != nil {
				return err
			}
			a.noteKernels(q.Kernel)
			answer, err := q.Ask(open, args[0])
			if answer != nil {
				for _, w := range answer.Warnings {
					a.console.Warning(w.Rule, strings.TrimPrefix(w.String(), w.Rule+": "), nil)
				}
			}
			var no *verify.Refusal
			switch {
			case errors.As(err, &no):
				if no.Line != "" {
					a.console.Verbatim("kernel log", no.Line)
				}
				return failed(fmt.Errorf("%s: %w", args[0], err))
			case err != nil:
				return usage(err)
			}
			if _, err := fmt.Fprintln(cmd.OutOrStdout(), escape.Line(answer.Told)); err != nil {
				return failed(err)
			}
			if n := len(answer.Warnings); strict && n > 0 {
				return failed(fmt.Errorf("%s: %d warnings", args[0], n))
			}
			return nil
		},
	}
	flags := cmd.Flags()
	inside.flags(flags)
	flags.StringVar(&q.Kernel, "as", "newest", "`VERSION` of the kernel: 5.10, 6.1, 6.12, 6.18, 7.2 or newest; another one, such as 6.8 or 5.10.0-28-amd64,\nis judged as the nearest of these that is not newer")
	flags.StringVar(&q.Path, "path", "", "`PATH` to the kernel: load, vmlinux, module or base\n(default: module with --base, otherwise vmlinux for an ELF file, otherwise load)")
	flags.StringVar(&q.Base, "base", "", "`FILE` with the BTF of the kernel that a module belongs to: raw BTF, ELF, a kernel as it boots or a package")
	inside.base.flags(flags)
	flags.IntVar(&q.PtrSize, "pointer-size", 0, "`BYTES` of a pointer in that kernel, 4 or 8 (default: that of the ELF file, or the size of a type such as\nlong unsigned int, or 8)")
	flags.BoolVar(&q.Lint, "lint", false, "warn about what no kernel refuses: duplicate struct names, BTF that is not sorted, and more")
	flags.BoolVar(&strict, "strict-lint", false, "like --lint, with exit code 1 if there are warnings")
	flags.StringVar(&q.Earlier, "earlier", "", "`FILE` with the BTF of an earlier build; warn if many functions or per-CPU variables are missing")
	flags.Float64Var(&q.Loss, "loss", 0.02, "with --earlier: the `SHARE` of functions or per-CPU variables that may be missing without a warning")
	return cmd
}

// pointerSize checks the flag of that name.
func pointerSize(cmd *cobra.Command, n int) error {
	if cmd.Flags().Changed("pointer-size") && n != 4 && n != 8 {
		return usage(fmt.Errorf("--pointer-size %d is neither 4 nor 8", n))
	}
	return nil
}
