// Package ofimage converts what a manifest asks for to settings.
//
// Input: an image of a manifest. Output: settings. Never: the package does not parse manifests.
package ofimage

import (
	"fmt"

	"github.com/btfbatch/btfbatch/cmd/internal/settings"
	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/encoder"
)

// Settings returns the settings of an image. If profile is not empty, it replaces the profile of the image.
func Settings(im *config.Image, profile config.Profile) (s settings.Settings, err error) {
	if profile == "" {
		profile = im.Profile
	}
	if s.Profile, err = settings.Profile(string(profile)); err != nil {
		return s, err
	}
	if s.LangExclude, err = encoder.ParseLanguages(im.LangExclude); err != nil {
		return s, fmt.Errorf("lang_exclude: %w", err)
	}
	if s.Kernels, err = settings.Kernels(im.Verify); err != nil {
		return s, fmt.Errorf("verify: %w", err)
	}
	s.Features, s.SortByName, s.LikeKernel = im.Features, im.SortByName, im.LikeKernel
	if im.SectionsGiven {
		s.Sections = sections(im.Sections)
	}
	return s, nil
}

// sections converts the section rules of a manifest. The result is not nil even if it is empty, because nil means the encoder's own rules.
func sections(list []config.SectionRule) []encoder.SectionRule {
	out := make([]encoder.SectionRule, 0, len(list))
	for _, r := range list {
		out = append(out, encoder.SectionRule{
			Section: r.Section, DropZeroAddress: r.Exclude.ZeroAddress, DropNonAllocated: r.Exclude.NonAllocated, DropUnnamed: r.Exclude.Unnamed,
			DropSymbols: r.Exclude.Symbols, NoDatasec: !r.DataSec, KeepDuplicates: !r.Unique,
		})
	}
	return out
}
