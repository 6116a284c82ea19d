package manual

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// Pages returns the manual pages: one for each command, and btfbatch.yaml.5 about manifests.
func (b *Book) Pages() []Page {
	var pages []Page
	for _, c := range commands(b.Root) {
		pages = append(pages, Page{title(c) + ".1", b.page(c)})
	}
	return append(pages, Page{"btfbatch.yaml.5", b.manifest()})
}

// roff is a page in work.
type roff struct{ strings.Builder }

// escaped writes a text so that roff prints it as it is. Hyphens are those of options and file names.
func escaped(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}

func (r *roff) head(name, section, about string, b *Book) {
	fmt.Fprintf(r, ".TH %s %s %s %q %q\n", strings.ToUpper(escaped(name)), section, b.Date, escaped(b.Version), "btfbatch")
	r.section("Name")
	fmt.Fprintf(r, "%s \\- %s\n", escaped(name), escaped(strings.ToLower(about[:1])+about[1:]))
}

func (r *roff) section(name string) { fmt.Fprintf(r, ".SH %s\n", strings.ToUpper(name)) }

func (r *roff) paragraphs(text string) {
	for i, p := range paragraphs(text) {
		switch {
		case p.pre:
			r.WriteString(".PP\n")
			r.code(p.text)
		default:
			if i > 0 {
				r.WriteString(".PP\n")
			}
			r.WriteString(escaped(p.text) + "\n")
		}
	}
}

// code writes preformatted text.
func (r *roff) code(text string) {
	r.WriteString(".RS 4\n.nf\n" + escaped(text) + "\n.fi\n.RE\n")
}

func (r *roff) terms(terms []Term) {
	for _, t := range terms {
		fmt.Fprintf(r, ".TP\n.B %s\n%s\n", quoted(t.Name), escaped(t.About))
	}
}

// quoted is an argument of a macro.
func quoted(text string) string { return `"` + strings.ReplaceAll(escaped(text), `"`, `\(dq`) + `"` }

func (r *roff) options(list []option) {
	for _, o := range list {
		r.WriteString(".TP\n")
		if o.short != "" {
			fmt.Fprintf(r, `\fB%s\fR, `, escaped(o.short))
		}
		fmt.Fprintf(r, `\fB%s\fR`, escaped(o.long))
		if o.value != "" {
			fmt.Fprintf(r, ` \fI%s\fR`, escaped(o.value))
		}
		fmt.Fprintf(r, "\n%s\n", escaped(o.about))
	}
}

// page is the manual page of a command.
func (b *Book) page(c *cobra.Command) string {
	var r roff
	r.head(title(c), "1", c.Short, b)
	r.section("Synopsis")
	r.WriteString(".nf\n\\fB" + escaped(c.UseLine()) + "\\fR\n")
	if c.HasAvailableSubCommands() {
		r.WriteString("\\fB" + escaped(c.CommandPath()) + "\\fR \\fICOMMAND\\fR ...\n")
	}
	r.WriteString(".fi\n")
	r.section("Description")
	r.paragraphs(description(c))
	if c.HasAvailableSubCommands() {
		r.section("Commands")
		for _, sub := range c.Commands() {
			if !sub.Hidden {
				fmt.Fprintf(&r, ".TP\n.B %s\n%s.\n", quoted(sub.Name()), escaped(sub.Short))
			}
		}
	}
	own, inherited := options(c)
	if !c.DisableFlagParsing {
		r.section("Options")
		r.options(own)
		r.options(inherited)
	}
	if c.Example != "" {
		r.section("Examples")
		r.code(strings.ReplaceAll(strings.TrimPrefix(c.Example, "  "), "\n  ", "\n"))
	}
	if !c.HasParent() {
		r.section("Exit status")
		r.terms(b.Exits)
		r.section("Environment")
		r.terms(b.Environment)
		r.section("Files")
		r.terms(b.Files)
	}
	r.section("See also")
	refs := related(c)
	for i := range refs {
		refs[i] = fmt.Sprintf("\\fB%s\\fR(1)", escaped(refs[i]))
	}
	refs = append(refs, "\\fBbtfbatch.yaml\\fR(5)")
	r.WriteString(strings.Join(refs, ",\n") + "\n")
	r.WriteString(".PP\n" + escaped(b.Site) + "\n")
	return r.String()
}

// manifest is the manual page about manifests.
func (b *Book) manifest() string {
	var r roff
	r.head("btfbatch.yaml", "5", "images to encode, and how", b)
	r.section("Description")
	r.paragraphs(`A manifest is a YAML file that lists images, how to encode them, and where the results go. Commands that take a manifest read
btfbatch.yaml if none is given. btfbatch init writes one, btfbatch validate checks it, and btfbatch schema prints its JSON Schema.

Values may contain ${{ matrix.NAME }}, ${{ image.name }}, ${{ image.file }}, ${{ image.arch }} and ${{ env.NAME }}.`)
	for _, s := range b.Manifest {
		r.section(s.Title)
		r.terms(s.Keys)
	}
	r.section("Examples")
	r.code(`version: 1
defaults:
  outputs: {btf: "out/${{ image.name }}.btf"}
images:
  - path: vmlinux
    golden: goldens/vmlinux.raw.zst
  - path: "modules/**/*.ko"
    base: vmlinux`)
	r.section("See also")
	r.WriteString("\\fBbtfbatch\\fR(1),\n\\fBbtfbatch\\-run\\fR(1)\n.PP\n" + escaped(b.Site) + "\n")
	return r.String()
}
