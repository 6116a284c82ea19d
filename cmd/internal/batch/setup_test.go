package batch

import (
	"slices"
	"testing"

	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/golden/report"
)

func TestSetup(t *testing.T) {
	const secret = "secret" // a password in a URL, and part of its query
	items := []corpus.Item{
		{Image: config.Image{Name: "a", Path: "a.elf", Profile: config.Pahole, Verify: []string{"6.1", "6.12"}}},
		{Image: config.Image{Name: "b", From: &config.From{Kind: config.FromURL, Where: "https://me:" + secret + "@example.com/b.elf?signature=" + secret}, Profile: config.Pahole, Verify: []string{"6.1", "6.12"},
			Sections: []config.SectionRule{{Section: ".data*", Exclude: config.Exclude{ZeroAddress: true, Symbols: []string{"x*"}}, DataSec: true}}}},
	}
	s := Setup(items, "")
	if want := []report.Setting{{Key: "profile", Value: "pahole"}, {Key: "features", Value: "default"}, {Key: "verify", Value: "6.1, 6.12"}}; !slices.Equal(s.Common, want) {
		t.Errorf("common: got %v, want %v", s.Common, want)
	}
	if want := []report.Setting{{Key: "path", Value: "a.elf"}}; len(s.Images) != 2 || !slices.Equal(s.Images[0].Settings, want) {
		t.Fatalf("got %v, want %v for the first image", s.Images, want)
	}
	want := []report.Setting{{Key: "from.url", Value: "https://me:" + "xxxxx" + "@example.com/b.elf"}, {Key: "sections: .data*", Value: "exclude [zero-address, x*], datasec true, unique false"}}
	if !slices.Equal(s.Images[1].Settings, want) {
		t.Errorf("got %v, want %v", s.Images[1].Settings, want)
	}
	if s := Setup(items[:1], config.Default); len(s.Common) != 0 || s.Images[0].Settings[1].Value != "default" {
		t.Errorf("one image, with a profile for all: got %+v", s)
	}
}
