package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/goldens"
	"github.com/btfbatch/btfbatch/cmd/internal/publish"
	"github.com/btfbatch/btfbatch/golden"
	"github.com/btfbatch/btfbatch/golden/escape"
)

func newGoldenReview() *cobra.Command {
	var p proposals
	cmd := &cobra.Command{
		Use:   "review [MANIFEST]",
		Short: "Decide about new goldens, one at a time",
		Long: `Decide about new goldens, one at a time. Each difference is shown, and the standard input says what to do: accept puts the new golden in
place, reject deletes the new golden, skip leaves it for later, quit ends the review. The first letter is enough. The end
of the input ends the review. Refused where CI=true.

Exits with 0 when everything is decided, 3 when something is left, 1 when a golden is damaged or cannot be put in place, and 2 for wrong
usage or a wrong manifest.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if golden.CI() {
				return usage(golden.ErrCI)
			}
			if err := p.load(cmd.Context(), args[0]); err != nil {
				return err
			}
			return review(cmd, p.fresh())
		},
	}
	p.flags(cmd, true)
	return cmd
}

// review shows new goldens and does what the standard input says.
func review(cmd *cobra.Command, list []*goldens.Golden) error {
	var files publish.Publisher
	answers := bufio.NewReader(cmd.InOrStdin())
	left := len(list)
	for i, g := range list {
		if err := showGolden(cmd, g, i+1, len(list), false); err != nil {
			return failed(err)
		}
		answer, err := ask(cmd.OutOrStdout(), answers)
		if err != nil {
			return failed(err)
		}
		switch answer {
		case "accept":
			err = g.Accept(&files)
		case "reject":
			err = g.Reject()
		case "quit":
			return undecided(left > 0)
		}
		if err != nil {
			return failed(err)
		}
		if answer != "skip" {
			left--
		}
		if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n\n", map[string]string{"accept": "accepted", "reject": "rejected", "skip": "skipped"}[answer], escape.Line(g.Path)); err != nil {
			return failed(err)
		}
	}
	return undecided(left > 0)
}

// ask asks until there is an answer. The end of the input is quit.
func ask(w io.Writer, answers *bufio.Reader) (string, error) {
	for {
		if _, err := fmt.Fprint(w, "accept, reject, skip or quit? "); err != nil {
			return "", err
		}
		line, err := answers.ReadString('\n')
		line = strings.ToLower(strings.TrimSpace(line))
		for _, word := range []string{"accept", "reject", "skip", "quit"} {
			if line == word || line == word[:1] {
				return word, nil
			}
		}
		if errors.Is(err, io.EOF) {
			return "quit", nil
		} else if err != nil {
			return "", err
		}
	}
}
