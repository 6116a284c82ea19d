package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/golden/columns"
)

// This file writes for people where images come from that are not files of their own. Many images are in one package, so packages are listed
// with their images.

// label names the package and its version, and the place that it came from.
func (s *Source) label() string {
	var parts []string
	for _, part := range []string{strings.TrimSpace(s.Package + " " + s.Version), s.URL} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		parts = []string{"a package"}
	}
	if s.Unpinned {
		parts = append(parts, "without a pin")
	}
	return strings.Join(parts, ", ")
}

// note says where one image comes from.
func (s *Source) note() string {
	if s.Member == "" {
		return "from " + s.label()
	}
	return "from " + s.label() + ": " + s.Member
}

// sources returns the packages, and the places on a network, that images come from, each with its images. The most frequent come first.
func (v *view) sources() []group {
	var g grouper
	for _, rows := range [][]Row{v.bad, v.good} {
		for i := range rows {
			if s := rows[i].Source; s != nil {
				label := s.label()
				g.add(label, "", label, rows[i].Name)
			}
		}
	}
	return g.list()
}

const (
	maxSources = 5 // packages in a text that is not verbose
	maxMembers = 4 // images of one package there
)

// sourceLines is the list of sources in a text that is written in full. The files in packages are those of the first images. All are in the
// notes on the images.
func (v *view) sourceLines() (lines []string) {
	members := map[string]string{}
	for _, row := range slices.Concat(v.bad, v.good) {
		if row.Source != nil {
			members[row.Name] = row.Source.Member
		}
	}
	list := v.sources()
	for _, g := range list[:min(maxSources, len(list))] {
		lines = append(lines, g.text)
		for _, name := range g.images[:min(maxMembers, len(g.images))] {
			line := "  " + columns.Fit(name, mostName)
			if m := members[name]; m != "" {
				line += ": " + m
			}
			lines = append(lines, line)
		}
		if n := len(g.images) - maxMembers; n > 0 {
			lines = append(lines, fmt.Sprintf("  %d more (-v)", n))
		}
	}
	if n := len(list) - maxSources; n > 0 {
		lines = append(lines, fmt.Sprintf("%d more packages and servers (-v)", n))
	}
	return lines
}

// sourceLine sums up the sources in a text that is folded, or returns "".
func (v *view) sourceLine() string {
	list := v.sources()
	n := 0
	for i := range list {
		n += len(list[i].images)
	}
	switch len(list) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("from packages and servers: %s, all from %s", images(n), list[0].text)
	}
	return fmt.Sprintf("from packages and servers: %s in %d places, first %s in %s", images(n), len(list), images(len(list[0].images)), list[0].text)
}

// sources writes the list of sources.
func (p *page) sources(v *view) {
	list := v.sources()
	if len(list) == 0 {
		return
	}
	p.add("\n### Packages and servers\n\n")
	for i := range list {
		if !p.add("- %s: %s: %s\n", cell(list[i].text), images(len(list[i].images)), someCells(list[i].images)) {
			p.left("packages and servers", len(list)-i)
			break
		}
	}
}
