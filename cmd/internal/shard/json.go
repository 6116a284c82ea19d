package shard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/btfbatch/btfbatch/encoder/input"
	"github.com/btfbatch/btfbatch/golden/escape"
)

// WriteJSON writes the plan as one JSON object, which Read reads.
func (p *Plan) WriteJSON(w io.Writer) error { return escape.WriteJSON(w, p, "  ") }

// WriteMatrix writes the parts as the matrix of a GitHub workflow, in one line: the keys of each part are part, name and images, which is
// the number of its images. Their names are not in the matrix, because the outputs of a job are limited to 1 MB.
func (p *Plan) WriteMatrix(w io.Writer) error {
	type row struct {
		Part   int    `json:"part"`
		Name   string `json:"name"`
		Images int    `json:"images"`
	}
	rows := []row{}
	for i := range p.Parts {
		rows = append(rows, row{p.Parts[i].Part, p.Parts[i].Name, len(p.Parts[i].Images)})
	}
	return escape.WriteJSON(w, struct {
		Include []row `json:"include"`
	}{rows}, "")
}

// maxList is the largest file that Read reads, in bytes. It holds 100,000 images with the longest names twice.
const maxList = 64 << 20

// Read reads the names of images from a file: a plan, or plain text with one name per line. part is the number of the part of a plan; 0
// stands for all images. A file without names is an error, so that a list that was lost does not end as a run of nothing.
func Read(path string, part int) ([]string, error) {
	text, err := input.ReadText(path, input.Names, maxList)
	if err != nil {
		return nil, err
	}
	if len(text) > maxList {
		return nil, fmt.Errorf("%s: more than %d bytes", path, maxList)
	}
	names, err := parse(text, part)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return names, nil
}

func parse(text []byte, part int) (names []string, err error) {
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		names, err = parsePlan(text, part)
	} else {
		if part != 0 {
			return nil, fmt.Errorf("it is not a plan, which --part requires")
		}
		names, err = parseLines(string(text))
	}
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("it names no image")
	}
	sorted := slices.Sorted(slices.Values(names))
	for i := 1; i < len(sorted); i++ {
		if sorted[i] == sorted[i-1] {
			return nil, fmt.Errorf("it names %q twice", sorted[i])
		}
	}
	return names, nil
}

// parseLines reads a name per line.
func parseLines(text string) (names []string, err error) {
	n := 0
	for line := range strings.Lines(text) {
		n++
		name := strings.TrimSpace(line)
		if strings.ContainsFunc(name, func(r rune) bool { return r == ' ' || r == utf8.RuneError || !unicode.IsPrint(r) }) {
			return nil, fmt.Errorf("line %d is not the name of an image", n)
		}
		if name != "" {
			names = append(names, name)
		}
	}
	return names, nil
}

func parsePlan(text []byte, part int) ([]string, error) {
	var head struct {
		Schema int             `json:"schema"`
		Parts  json.RawMessage `json:"parts"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, fmt.Errorf("not a plan: %w", err)
	}
	if head.Schema != schema || head.Parts == nil {
		return nil, fmt.Errorf("not a plan of schema %d, which btfbatch plan --format json writes", schema)
	}
	var p Plan
	if err := json.Unmarshal(text, &p); err != nil {
		return nil, fmt.Errorf("not a plan: %w", err)
	}
	if part == 0 {
		return p.Images, nil
	}
	for i := range p.Parts {
		if p.Parts[i].Part == part {
			return p.Parts[i].Images, nil
		}
	}
	return nil, fmt.Errorf("it has %d parts, but no part %d", len(p.Parts), part)
}
