// Package manual writes the reference of the program from the tree of its commands: manual pages, and a page of Markdown.
//
// Input: the tree, and what the tree does not say: exit codes, environment variables, the schema of manifests. Output: texts. The same
// input gives the same bytes. Never: the package does not write files.
package manual

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A Term is a word and its meaning.
type Term struct{ Name, About string }

// A Book is everything that a reference is made of.
type Book struct {
	Root        *cobra.Command
	Version     string // "btfbatch v1.2.3"
	Date        string // "2026-11-30"
	Exits       []Term
	Environment []Term
	Files       []Term
	Manifest    []Section // of the page about manifests
	Site        string    // where the documents are
}

// A Section is a part of the page about manifests: the keys of one mapping.
type Section struct {
	Title string
	Keys  []Term
}

// A Page is a manual page.
type Page struct {
	Name string // "btfbatch-run.1"
	Text string // in the macros of man(7)
}

// commands lists the visible commands of the tree, each before those below it.
func commands(root *cobra.Command) []*cobra.Command {
	list := []*cobra.Command{root}
	for _, c := range root.Commands() {
		if !c.Hidden && c.Name() != "help" && c.Name() != "completion" {
			list = append(list, commands(c)...)
		}
	}
	return list
}

// title is the name of a command's page.
func title(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

// An option is a flag as a reference shows it.
type option struct {
	short, long, value, about string
}

// options lists the flags of a command itself, by name. inherited lists those that it shares with all commands.
func options(c *cobra.Command) (own, inherited []option) {
	c.InitDefaultHelpFlag()
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			own = append(own, optionOf(f))
		}
	})
	if c.HasParent() && !c.DisableFlagParsing {
		c.InheritedFlags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				inherited = append(inherited, optionOf(f))
			}
		})
	}
	return own, inherited
}

func optionOf(f *pflag.Flag) option {
	value, about := pflag.UnquoteUsage(f)
	about = strings.ReplaceAll(about, "\n", " ")
	if !strings.HasPrefix(about, value) || value == "" { // FORMAT of log lines
		about = strings.ToUpper(about[:1]) + about[1:]
	}
	if strings.HasPrefix(about, "Help for ") {
		about = "Print the help of the command"
	}
	if !strings.HasSuffix(about, ".") {
		about += "."
	}
	if !slices.Contains([]string{"", "false", "0", "0s", "[]"}, f.DefValue) {
		about += fmt.Sprintf(" Default: %s.", strings.Trim(f.DefValue, "[]"))
	}
	o := option{long: "--" + f.Name, value: value, about: about}
	if f.Shorthand != "" {
		o.short = "-" + f.Shorthand
	}
	return o
}

// A paragraph is a part of a description. Preformatted text keeps its lines.
type paragraph struct {
	text string
	pre  bool
}

// paragraphs divides a description at empty lines.
func paragraphs(text string) []paragraph {
	var list []paragraph
	for part := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		if strings.HasPrefix(part, " ") || strings.HasPrefix(part, "\t") {
			list = append(list, paragraph{strings.TrimRight(part, "\n"), true})
			continue
		}
		list = append(list, paragraph{strings.Join(strings.Fields(part), " "), false})
	}
	return list
}

// description is the long text of a command, or the short one.
func description(c *cobra.Command) string {
	if c.Long != "" {
		return c.Long
	}
	return c.Short + "."
}

// related lists the commands that a page refers to.
func related(c *cobra.Command) []string {
	var list []string
	if c.HasParent() {
		list = append(list, title(c.Parent()))
	}
	for _, sub := range c.Commands() {
		if !sub.Hidden && sub.Name() != "help" && sub.Name() != "completion" {
			list = append(list, title(sub))
		}
	}
	return list
}
