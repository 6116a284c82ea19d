// Package escape escapes text from untrusted sources, which keeps it plain text: names of files, images, symbols, sections and types,
// and errors that contain them.
//
// Input: any bytes. Output: what a medium takes for these and nothing else, readable and, where nothing is special about it,
// unchanged. There is one function for each medium. Never: the package does not shorten, and does not know what the text says.
package escape

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// isASCII reports whether text has only the visible characters of ASCII and blanks, as nearly all names have.
func isASCII(s string) bool {
	for i := range len(s) {
		if s[i]-' ' > '~'-' ' {
			return false
		}
	}
	return true
}

// visible writes what cannot be seen, or changes how other text is seen, as Go does in quotes: control characters, marks for the
// direction of text, bytes that are not UTF-8. Runes that keep says are left alone.
func visible(s string, keep string) string {
	if isASCII(s) {
		return s
	}
	plain := func(r rune, n int) bool {
		return unicode.IsPrint(r) && (r != utf8.RuneError || n > 1) || r != utf8.RuneError && strings.ContainsRune(keep, r)
	}
	clean := true
	for rest := s; rest != "" && clean; {
		r, n := utf8.DecodeRuneInString(rest)
		clean, rest = plain(r, n), rest[n:]
	}
	if clean {
		return s
	}
	b := make([]byte, 0, len(s)+16)
	for s != "" {
		r, n := utf8.DecodeRuneInString(s)
		if plain(r, n) {
			b = append(b, s[:n]...)
		} else {
			q := strconv.Quote(s[:n])
			b = append(b, q[1:len(q)-1]...)
		}
		s = s[n:]
	}
	return string(b)
}

// noCommand prevents a line from being read as a workflow command. These start with two colons, possibly after blanks, or, in their
// old form, have ##[ anywhere.
func noCommand(line string) string {
	if line == "" || line[0] != ':' && line[0] != ' ' && line[0] != '\t' {
		return noOldCommand(line)
	}
	if at := len(line) - len(strings.TrimLeft(line, " \t")); strings.HasPrefix(line[at:], "::") {
		line = line[:at] + `\` + line[at:]
	}
	return noOldCommand(line)
}

func noOldCommand(s string) string {
	if strings.IndexByte(s, '#') < 0 {
		return s
	}
	return strings.ReplaceAll(s, "##[", `#\#[`)
}

// Line escapes text for one line on a terminal, in a file or in the log of a CI job. The text may start the line.
func Line(s string) string { return noCommand(visible(s, "")) }

// Text is like Line for text with several lines and tabs.
func Text(s string) string {
	lines := strings.Split(visible(s, "\n\t"), "\n")
	for i := range lines {
		lines[i] = noCommand(lines[i])
	}
	return strings.Join(lines, "\n")
}

var markdown = strings.NewReplacer(
	`\`, `\\`, "|", `\|`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "]", `\]`,
	"~", `\~`, "#", `\#`, "$", `\$`, "://", `\://`, "www.", `www\.`,
)

// Markdown escapes text for a line of Markdown, which may be in a table.
func Markdown(s string) string { return markdown.Replace(visible(s, "")) }

// Visible writes what cannot be seen, or changes how other text is seen, in a visible form, and leaves everything else to the medium: for
// writers that escape text themselves.
func Visible(s string) string { return visible(s, "") }

// Shell writes a word as a POSIX shell takes it: quoted, if it contains anything but letters, digits and signs without a meaning.
func Shell(s string) string {
	special := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./=:,+@%", r))
	}
	if s != "" && !strings.ContainsFunc(s, special) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// HTML escapes text for a line of HTML, which may be in Markdown.
func HTML(s string) string { return html.EscapeString(visible(s, "")) }

// XML prepares text for an XML encoder, because XML cannot express most control characters.
func XML(s string) string { return noOldCommand(visible(s, "\n\t")) }

var data = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")

// Data escapes the text of a workflow command of GitHub Actions.
func Data(s string) string { return data.Replace(visible(s, "\n")) }

var property = strings.NewReplacer(":", "%3A", ",", "%2C")

// Property escapes a property of such a command.
func Property(s string) string { return property.Replace(Data(s)) }

// JSON rewrites JSON so that it can be looked at: what visible would write otherwise is written as \u and four digits, which stands for
// the same, and so is the old form of workflow commands. Line breaks and tabs stay, which are between values.
func JSON(b []byte) []byte {
	b = bytes.ReplaceAll(b, []byte("##["), []byte(`#\u0023[`))
	var out []byte
	start := 0
	for at := 0; at < len(b); {
		r, n := utf8.DecodeRune(b[at:])
		if !unicode.IsPrint(r) && r != '\n' && r != '\t' && r != utf8.RuneError {
			out = append(out, b[start:at]...)
			for _, unit := range utf16.Encode([]rune{r}) {
				out = fmt.Appendf(out, `\u%04x`, unit)
			}
			start = at + n
		}
		at += n
	}
	if out == nil {
		return b
	}
	return append(out, b[start:]...)
}

// Marshal returns a value as JSON that can be looked at, without a line feed at the end. Prefix and indent are as in [json.MarshalIndent];
// without both, the text is one line.
func Marshal(v any, prefix, indent string) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent(prefix, indent)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return JSON(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}

// WriteJSON writes what Marshal returns for a value, without a prefix, and a line feed.
func WriteJSON(w io.Writer, v any, indent string) error {
	text, err := Marshal(v, "", indent)
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

// UTF8 replaces the bytes of a text that are not UTF-8 by what visible writes for them, and changes nothing else.
func UTF8(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for s != "" {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, `\x%02x`, s[0])
		} else {
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}
