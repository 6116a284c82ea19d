package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/btfbatch/btfbatch/cmd/internal/batch"
	"github.com/btfbatch/btfbatch/cmd/internal/claim"
	"github.com/btfbatch/btfbatch/corpus/cache"
	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

// Claims says what a run does while another one writes the same files.
type claims struct {
	hurry bool // --no-wait
}

func (c *claims) flags(flags *pflag.FlagSet) {
	flags.BoolVar(&c.hurry, "no-wait", false, "if another run writes the same files, end with 75 at once instead of waiting for it")
}

// take claims the files that a run of the jobs may write. The caller calls release when the run is over.
func (c *claims) take(ctx context.Context, a *app, manifest string, jobs []batch.Job, opt *batch.Options) (release func(), err error) {
	folder, err := cache.Folder()
	if err == nil {
		release, err = claim.Take(ctx, filepath.Join(folder, "runs"), manifest, batch.Written(jobs, opt), func(e *claim.HeldError) bool {
			if !c.hurry {
				a.console.Note(fmt.Sprintf("waiting for %s, which writes %s", e.Owner, e.File))
			}
			return !c.hurry
		})
	}
	held, busy := errors.AsType[*claim.HeldError](err)
	switch {
	case err == nil:
		return release, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case busy:
		return nil, &exit{exitcode.TryAgain, held}
	case c.hurry:
		return nil, failed(fmt.Errorf("--no-wait: %w", err))
	case errors.Is(err, claim.ErrNone):
		a.console.Note(err.Error())
	}
	return func() {}, nil // a system without a home has no place for claims
}
