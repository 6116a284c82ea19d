package config

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/kernel"
)

// A schema is the part of JSON Schema that TestSchema compares.
type schema struct {
	Properties map[string]*schema `json:"properties"`
	Required   []string           `json:"required"`
	Items      *schema            `json:"items"`
	OneOf      []*schema          `json:"oneOf"`
	AnyOf      []*schema          `json:"anyOf"`
	Enum       []string           `json:"enum"`
	Defs       map[string]*schema `json:"$defs"`
}

func (s *schema) keys() []string { return slices.Sorted(maps.Keys(s.Properties)) }

// TestSchema keeps the published schema in step with the keys and words that the program takes.
func TestSchema(t *testing.T) {
	data, err := os.ReadFile("manifest.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var root schema
	if err := json.Unmarshal(data, &root); err != nil {
		t.Fatal(err)
	}
	image := root.Defs["image"]
	for _, tt := range []struct {
		name      string
		got, want []string
	}{
		{"manifest", root.keys(), rootKeys},
		{"image", image.keys(), keyNames(func(*imageKey) bool { return true })},
		{"defaults", root.Properties["defaults"].keys(), keyNames(func(k *imageKey) bool { return k.inDefaults })},
		{"outputs", image.Properties["outputs"].keys(), outputKeys},
		{"golden", image.Properties["golden"].OneOf[1].keys(), goldenKeys},
		{"policies", image.Properties["golden"].OneOf[1].Properties["policy"].AnyOf[0].Enum, policies},
		{"dialects", image.Properties["golden"].OneOf[1].Properties["dialect"].Enum, Dialects},
		{"section", root.Defs["section"].keys(), sectionKeys},
		{"required of a manifest", root.Required, []string{"images", "version"}},
		{"required of an image", image.Required, []string{"path"}},
		{"kinds", image.Properties["kind"].AnyOf[0].Enum, kinds},
		{"profiles", image.Properties["profile"].AnyOf[0].Enum, []string{string(Default), string(Pahole)}},
		{"architectures", image.Properties["arch"].AnyOf[0].Enum,
			append(ArchNames(), slices.Collect(maps.Keys(aliases))...)},
		{"features", image.Properties["features"].OneOf[0].Items.AnyOf[0].Enum, append(feature.Names(), "default", "all")},
	} {
		got, want := slices.Sorted(slices.Values(tt.got)), slices.Sorted(slices.Values(tt.want))
		if !slices.Equal(got, want) {
			t.Errorf("%s: the schema has %v, the program %v", tt.name, got, want)
		}
	}
}

// TestDocs parses every whole manifest in the documentation and looks for every key.
func TestDocs(t *testing.T) {
	data, err := os.ReadFile("../docs/manifest.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	whole := 0
	for i, block := range strings.Split(text, "```yaml\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		var node yaml.Node
		if err := yaml.Unmarshal([]byte(block), &node); err != nil {
			t.Errorf("block %d: %v\n%s", i, err, block)
		}
		if !strings.Contains(block, "version: 1") {
			continue
		}
		whole++
		if _, err := Parse("btfbatch.yaml", []byte(block), testEnv); err != nil {
			t.Errorf("block %d: %v\n%s", i, err, block)
		}
	}
	if whole == 0 {
		t.Error("no whole manifest found")
	}
	keys := slices.Concat(rootKeys, keyNames(func(*imageKey) bool { return true }), outputKeys, goldenKeys, policies, Dialects, sectionKeys,
		ArchNames(), slices.Collect(maps.Keys(aliases)), languages, kernel.Words(), []string{"include", "exclude"})
	for _, key := range keys {
		if !strings.Contains(text, "`"+key+"`") {
			t.Errorf("`%s` is not explained", key)
		}
	}
}
