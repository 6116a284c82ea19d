package batch

import (
	"github.com/btfbatch/btfbatch/cmd/internal/settings"
	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/encoder"
)

// encoder is what encodes an image.
func (b *batch) encoder(s *settings.Settings, workers int) encoder.Encoder {
	return encoder.Encoder{Options: s.Options, Hooks: encoder.Hooks{OnFunc: b.opt.OnFunc, OnVar: b.opt.OnVar},
		Workers: workers, VerifyDedup: b.opt.VerifyDedup, Paranoid: b.opt.Paranoid}
}

func (b *batch) profileOf(im *config.Image) config.Profile {
	if b.opt.Profile != "" {
		return b.opt.Profile
	}
	return im.Profile
}
