package golden

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/input"
)

// maxSums bounds the text of a file of sums.
const maxSums = 4 << 20

// A sum is one line of a file of sums.
type sum struct {
	digest string // hexadecimal; empty for a comment or a blank line
	name   string // or the comment
}

// Sums is a file of digests as sha256sum writes it, with the names of images instead of those of files: 64 hexadecimal digits, two spaces, a
// name. Lines that start with # are comments.
type Sums struct{ lines []sum }

// ReadSums reads a file of sums. One that does not exist has no entries.
func ReadSums(path string) (*Sums, error) {
	f, err := open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return new(Sums), nil
	}
	if err != nil {
		return nil, input.Named(path, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSums+1))
	if err != nil {
		return nil, input.Named(path, err)
	}
	if len(text) > maxSums {
		return nil, fmt.Errorf("%s: more than %d bytes", path, maxSums)
	}
	s, err := parseSums(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s:%w", path, err)
	}
	return s, nil
}

func parseSums(text string) (*Sums, error) {
	s := new(Sums)
	seen := map[string]int{}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimRight(line, "\r\n")
		if line == "" || line[0] == '#' {
			s.lines = append(s.lines, sum{name: line})
			continue
		}
		digest, name, ok := strings.Cut(line, " ")
		if !ok || len(digest) != 64 || len(name) < 2 || name[0] != ' ' && name[0] != '*' {
			return nil, fmt.Errorf("%d: a line has 64 hexadecimal digits, two spaces and the name of an image", n)
		}
		if _, err := hex.DecodeString(digest); err != nil {
			return nil, fmt.Errorf("%d: %q is not hexadecimal", n, digest)
		}
		name = name[1:]
		if first := seen[name]; first > 0 {
			return nil, fmt.Errorf("%d: %q has a sum on line %d already", n, name, first)
		}
		seen[name] = n
		s.lines = append(s.lines, sum{strings.ToLower(digest), name})
	}
	return s, nil
}

// Get returns the digest of an image, or "".
func (s *Sums) Get(image string) string {
	for _, l := range s.lines {
		if l.name == image && l.digest != "" {
			return l.digest
		}
	}
	return ""
}

// Set sets the digest of an image. A new one stands before the first name that is greater.
func (s *Sums) Set(image, digest string) {
	at := len(s.lines)
	for i := len(s.lines) - 1; i >= 0; i-- {
		l := &s.lines[i]
		switch {
		case l.digest == "":
		case l.name == image:
			l.digest = digest
			return
		case l.name > image:
			at = i
		}
	}
	s.lines = append(s.lines[:at:at], append([]sum{{digest, image}}, s.lines[at:]...)...)
}

// Bytes is the text of the file.
func (s *Sums) Bytes() []byte {
	var b bytes.Buffer
	for _, l := range s.lines {
		if l.digest != "" {
			b.WriteString(l.digest + "  ")
		}
		b.WriteString(l.name + "\n")
	}
	return b.Bytes()
}

// CompareSum compares the digest of an image's BTF with that in a file of sums.
func CompareSum(path, image, digest string) (*Result, error) {
	s, err := ReadSums(path)
	if err != nil {
		return nil, err
	}
	switch was := s.Get(image); was {
	case "":
		return &Result{Verdict: Missing}, nil
	case digest:
		return &Result{Verdict: Equal}, nil
	default:
		return &Result{Verdict: Differs, Problem: fmt.Sprintf("SHA-256 %.16s…, was %.16s…", digest, was)}, nil
	}
}

// UpdateSum writes the digest of an image into a file of sums. The error is ErrCI in CI.
func UpdateSum(path, image, digest string, put Put) error {
	if CI() {
		return fmt.Errorf("%s: %w", path, ErrCI)
	}
	s, err := ReadSums(path)
	if err != nil {
		return err
	}
	s.Set(image, digest)
	return put(path, func(w io.Writer) error {
		z, err := input.NewPacker(w, input.Compression(path))
		if err != nil {
			return err
		}
		_, err = z.Write(s.Bytes())
		return errors.Join(err, z.Close())
	})
}
