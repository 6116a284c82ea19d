package encoder

import "github.com/btfbatch/btfbatch/encoder/translate"

type classes struct{}

func (c *classes) compute(*translate.Unit) {}

type seen struct{ fresh []bool }

func (a *assembler) classify(u *unit) {}
