package config

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// A source is one text that a manifest consists of: the manifest itself, one that it includes, or a list of images.
type source struct {
	file  string // as messages name it
	dir   string // the folder that relative paths in it are relative to
	order int    // among all texts
	count int    // of lines
	sum   [sha256.Size]byte
	lines []string // nil for a text whose lines are not kept

	list listing // that named the text; its zero value for the manifest itself
}

// A listing is a path or a glob under images_from, or a glob under include: what the manifest says of texts that may come and go.
type listing struct {
	pattern  string // joined to the folder of the text that has it
	absolute bool
}

func newSource(file string, data []byte, order int) *source {
	s := &source{file: file, dir: filepath.Dir(file), order: order, sum: sha256.Sum256(data)}
	if len(data) <= maxBytes {
		s.lines = splitLines(string(data))
		s.count = len(s.lines)
	}
	return s
}

// splitLines returns the lines of a YAML text, without their ends.
func splitLines(text string) []string {
	lines := make([]string, 0, 1+strings.Count(text, "\n"))
	for {
		i := strings.IndexAny(text, "\n\r\u0085\u2028\u2029")
		if i < 0 {
			return append(lines, text)
		}
		_, n := utf8.DecodeRuneInString(text[i:])
		if strings.HasPrefix(text[i:], "\r\n") {
			n = 2
		}
		lines, text = append(lines, text[:i]), text[i+n:]
	}
}

// line returns a line of the text, from 1.
func (s *source) line(n int) (string, bool) {
	if n < 1 || n > len(s.lines) {
		return "", false
	}
	return s.lines[n-1], true
}

// release forgets the text. Places in it remain.
func (s *source) release() { s.lines = nil }

// combined is the digest of a manifest: that of the text, or, if there are several texts, that of their digests, one in a line.
func (r *report) combined() string {
	sum := r.sources[0].sum
	if len(r.sources) > 1 {
		var all strings.Builder
		for _, s := range r.sources {
			all.WriteString(hex.EncodeToString(s.sum[:]) + "\n")
		}
		sum = sha256.Sum256([]byte(all.String()))
	}
	return hex.EncodeToString(sum[:])
}
