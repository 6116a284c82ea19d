package manual

import (
	"fmt"
	"strings"
)

// Commands returns the reference of all commands as Markdown.
func (b *Book) Commands() string {
	var m strings.Builder
	m.WriteString("# Commands\n\nThis page is made from the program. `btfbatch COMMAND --help` and the manual pages have the same text.\n\n")
	for _, c := range commands(b.Root) {
		fmt.Fprintf(&m, "* [%s](#%s): %s\n", c.CommandPath(), title(c), c.Short)
	}
	for _, c := range commands(b.Root) {
		fmt.Fprintf(&m, "\n## %s\n", c.CommandPath())
		for _, p := range paragraphs(description(c)) {
			if p.pre {
				fmt.Fprintf(&m, "\n```text\n%s\n```\n", p.text)
			} else {
				fmt.Fprintf(&m, "\n%s\n", plainMarkdown(p.text))
			}
		}
		fmt.Fprintf(&m, "\n```text\n%s\n```\n", c.UseLine())
		if own, _ := options(c); !c.DisableFlagParsing && (len(own) > 1 || !c.HasParent()) {
			m.WriteString("\n| Option | Meaning |\n|---|---|\n")
			for _, o := range own {
				name := o.long
				if o.value != "" {
					name += " " + o.value
				}
				if o.short != "" {
					name = o.short + ", " + name
				}
				fmt.Fprintf(&m, "| `%s` | %s |\n", strings.ReplaceAll(name, "|", `\|`), strings.ReplaceAll(plainMarkdown(o.about), "|", `\|`))
			}
		}
		if c.Example != "" {
			fmt.Fprintf(&m, "\n```text\n%s\n```\n", strings.ReplaceAll(strings.TrimPrefix(c.Example, "  "), "\n  ", "\n"))
		}
	}
	m.WriteString("\nThe options `--log-format` and `--log-level` belong to all commands.\n")
	for _, s := range []struct {
		title, column string
		terms         []Term
	}{{"Exit codes", "Code", b.Exits}, {"Environment", "Variable", b.Environment}, {"Files", "File", b.Files}} {
		fmt.Fprintf(&m, "\n## %s\n\n| %s | Meaning |\n|---|---|\n", s.title, s.column)
		for _, t := range s.terms {
			fmt.Fprintf(&m, "| `%s` | %s |\n", t.Name, plainMarkdown(t.About))
		}
	}
	return m.String()
}

// Keys returns the reference of manifests as Markdown.
func (b *Book) Keys() string {
	var m strings.Builder
	m.WriteString("# Keys of the manifest\n\nThis page is made from the tables that check manifests. [manifest.md](manifest.md) explains the keys, with examples.\n")
	for _, s := range b.Manifest {
		fmt.Fprintf(&m, "\n## %s\n\n| Key | Meaning |\n|---|---|\n", s.Title)
		for _, t := range s.Keys {
			fmt.Fprintf(&m, "| `%s` | %s |\n", t.Name, strings.ReplaceAll(plainMarkdown(t.About), "|", `\|`))
		}
	}
	return m.String()
}

// plainMarkdown escapes what Markdown would take for markup.
func plainMarkdown(text string) string {
	return strings.NewReplacer("*", `\*`, "_", `\_`, "<", "&lt;", "[", `\[`, "]", `\]`).Replace(text)
}
