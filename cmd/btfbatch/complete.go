package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/kernel"
	"github.com/btfbatch/btfbatch/encoder/verify"
	"github.com/btfbatch/btfbatch/golden/cause"
	"github.com/btfbatch/btfbatch/golden/dump"
)

// A completer lists what a shell offers for a value.
type completer = cobra.CompletionFunc

// flagWords has, for flags with words as values, what shells offer. The key is a flag of all commands or of one.
var flagWords = map[string]completer{
	"--log-format":          oneOf("human", "json"),
	"--log-level":           oneOf("debug", "info", "warn", "error"),
	"--profile":             oneOf(string(config.Default), string(config.Pahole)),
	"--btf-features":        someOf(append([]string{"default", "all"}, feature.Names()...)),
	"--lang-exclude":        someOf(config.Languages()),
	"--as":                  someOf(kernel.Words()),
	"verify --as":           oneOf(kernel.Words()...),
	"verify --path":         oneOf(verify.PathNames()...),
	"--pointer-size":        oneOf("4", "8"),
	"--progress":            oneOf("auto", "tty", "plain", "quiet"),
	"--disk":                oneOf("5GiB", "10GiB", "20GiB", "50GiB", "100GiB"),
	"--memory":              oneOf("1GiB", "2GiB", "4GiB", "8GiB", "16GiB"),
	"--only":                imageNames,
	"--shard":               oneOf("auto"),
	"--engine":              oneOf(engines...),
	"diff --only":           someOf(filterWords()),
	"diff --ignore":         someOf(filterWords()),
	"diff --fail-on":        oneOf("any", "break"),
	"diff --format":         oneOf(strings.Split(formatNames(), ", ")...),
	"dump --format":         oneOf(append(dump.Formats(), formatSelected)...),
	"history --format":      oneOf("text", "json"),
	"stats --format":        oneOf("text", "json"),
	"sources --format":      oneOf("text", "json"),
	"lock --format":         oneOf("text", "json"),
	"plan --format":         oneOf("text", "json", "github-matrix"),
	"report show --format":  oneOf("text", "json", "junit", "markdown", "html"),
	"run --report":          reportForms("text", "json", "junit", "markdown", "html"),
	"report merge --report": reportForms("text", "json", "junit", "markdown", "html"),
	"run --cache":           prefixes("oci://", "s3://"),
	"--from":                prefixes("deb=", "rpm=", "url=", "apt=", "debuginfod="),
}

// freely are the placeholders of values for which shells offer nothing.
var freely = []string{"N", "SIZE", "SHARE", "DURATION", "PATTERN", "DATE", "NAMES", "COMMAND", "OPTION", "IMAGE", "NAME", "FLAG"}

// asksForCompletion reports whether a shell calls the program to complete a line.
func asksForCompletion(args []string) bool {
	return slices.Contains(args, cobra.ShellCompRequestCmd) || slices.Contains(args, cobra.ShellCompNoDescRequestCmd)
}

// addCompletions tells shells what to offer for the flags of a command and of those below it.
func addCompletions(cmd *cobra.Command) {
	path := strings.TrimSpace(strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()))
	add := func(f *pflag.Flag) {
		if f.NoOptDefVal != "" || f.Value.Type() == "bool" {
			return
		}
		what, _ := pflag.UnquoteUsage(f)
		words := flagWords["--"+f.Name]
		if own := flagWords[path+" --"+f.Name]; own != nil {
			words = own
		}
		switch {
		case words != nil:
			_ = cmd.RegisterFlagCompletionFunc(f.Name, words) // the flag exists, and is registered once
		case what == "FOLDER":
			_ = cmd.MarkFlagDirname(f.Name)
		case slices.Contains(freely, what):
			_ = cmd.RegisterFlagCompletionFunc(f.Name, cobra.NoFileCompletions)
		} // for others, shells offer files
	}
	cmd.PersistentFlags().VisitAll(add)
	cmd.LocalNonPersistentFlags().VisitAll(add)
	if cmd.ValidArgsFunction == nil && len(strings.Fields(cmd.Use)) == 1 {
		cmd.ValidArgsFunction = cobra.NoFileCompletions
	}
	for _, c := range cmd.Commands() {
		addCompletions(c)
	}
}

// oneOf offers words.
func oneOf(words ...string) completer {
	return func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		return fitting(words, typed), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	}
}

// someOf offers words for a list with commas.
func someOf(words []string) completer {
	return func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		return afterComma(words, typed), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveKeepOrder
	}
}

// afterComma puts what was typed before the last comma in front of the words that it does not have.
func afterComma(words []string, typed string) []string {
	before := typed[:strings.LastIndexByte(typed, ',')+1]
	if before == "" && strings.HasPrefix(typed, "+") {
		before = "+"
	}
	given := strings.Split(strings.TrimPrefix(before, "+"), ",")
	var list []string
	for _, w := range words {
		if !slices.Contains(given, w) {
			list = append(list, before+w)
		}
	}
	return fitting(list, typed)
}

// fitting returns the words that begin with what was typed.
func fitting(words []string, typed string) []string {
	return slices.DeleteFunc(slices.Clone(words), func(w string) bool { return !strings.HasPrefix(w, typed) })
}

// prefixes offers the beginnings of values.
func prefixes(words ...string) completer {
	return func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		if strings.Contains(typed, "=") {
			return nil, cobra.ShellCompDirectiveDefault
		}
		return fitting(words, typed), cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveKeepOrder
	}
}

// reportForms offers the forms of a report, for the standard output or for a file.
func reportForms(forms ...string) completer {
	all := slices.Clone(forms)
	for _, f := range forms {
		all = append(all, f+"=")
	}
	return prefixes(all...)
}

// imageNames offers the names of the images of the manifest.
func imageNames(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	m, err := loadManifest(withManifest(args)[0])
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, it := range corpus.Resolve(cmd.Context(), m, corpus.Sources{}) {
		names = append(names, it.Image.Name)
	}
	return afterComma(names, typed), cobra.ShellCompDirectiveNoFileComp
}

// filterWords lists the kinds and rules that --only and --ignore of diff take.
func filterWords() []string {
	var words []string
	for _, k := range cause.Kinds {
		words = append(words, string(k))
	}
	for _, r := range cause.Rules {
		words = append(words, string(r.Name))
	}
	return words
}
