package batch

import (
	"fmt"

	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/encoder"
)

// encoder says what the manifest says of an image in the encoder's words.
func (b *batch) encoder(im *config.Image, workers int) (encoder.Encoder, error) {
	opt := encoder.Encoder{Options: encoder.Options{Features: im.Features, SortByName: im.SortByName}, Hooks: encoder.Hooks{OnFunc: b.opt.OnFunc, OnVar: b.opt.OnVar},
		Workers: workers, VerifyDedup: b.opt.VerifyDedup, Paranoid: b.opt.Paranoid}
	var err error
	if opt.Profile, err = profile(b.profileOf(im)); err != nil {
		return opt, err
	}
	if opt.LangExclude, err = encoder.ParseLanguages(im.LangExclude); err != nil {
		return opt, fmt.Errorf("lang_exclude: %w", err)
	}
	if im.SectionsGiven {
		opt.Sections = rules(im.Sections)
	}
	return opt, nil
}

func (b *batch) profileOf(im *config.Image) config.Profile {
	if b.opt.Profile != "" {
		return b.opt.Profile
	}
	return im.Profile
}

func profile(p config.Profile) (encoder.Profile, error) {
	switch p {
	case config.Default:
		return encoder.Default, nil
	case config.Pahole:
		return encoder.Pahole, nil
	}
	return 0, fmt.Errorf("profile %q is none of default, pahole", p)
}

// rules are a manifest's section rules in the encoder's words. No rule at all is not the same as no list of rules.
func rules(list []config.SectionRule) []encoder.SectionRule {
	out := make([]encoder.SectionRule, 0, len(list))
	for _, r := range list {
		out = append(out, encoder.SectionRule{
			Section: r.Section, DropZeroAddress: r.Exclude.ZeroAddress, DropNonAllocated: r.Exclude.NonAllocated, DropUnnamed: r.Exclude.Unnamed,
			DropSymbols: r.Exclude.Symbols, NoDatasec: !r.DataSec, KeepDuplicates: !r.Unique,
		})
	}
	return out
}
