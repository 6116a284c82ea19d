package selected

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// A ParseError says where a text stops being a golden.
type ParseError struct {
	Line    int // counted from 1
	Problem string
}

func (e *ParseError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Problem) }

// A token is a word, a number, a sign, a name in quotes or the end of a line.
type token struct {
	text   string
	quoted bool
	line   int
}

// The tokens for the ends of lines and of the text.
const (
	newLine = "\n"
	endText = ""
)

// scan splits a text into tokens. Lines that start with # are comments. A golden of a repository may have been checked out with carriage
// returns.
func scan(text []byte, line int) (list []token, err error) {
	for len(text) > 0 {
		end := bytes.IndexByte(text, '\n')
		if end < 0 {
			return nil, &ParseError{line, "the line has no end"}
		}
		s := string(bytes.TrimSuffix(text[:end], []byte("\r")))
		text = text[end+1:]
		if !strings.HasPrefix(s, "#") {
			if list, err = scanLine(list, s, line); err != nil {
				return nil, err
			}
		}
		list = append(list, token{newLine, false, line})
		line++
	}
	return append(list, token{endText, false, line}), nil
}

func scanLine(list []token, s string, line int) ([]token, error) {
	if pattern, ok := strings.CutPrefix(s, "select "); ok {
		return append(list, token{"select", false, line}, token{pattern, true, line}), nil
	}
	for s != "" {
		n := 1
		switch c := s[0]; {
		case c == ' ' || c == '\t':
			s = s[1:]
			continue
		case c == '"':
			quoted, err := strconv.QuotedPrefix(s)
			if err != nil {
				return nil, &ParseError{line, "a name in quotes has no end"}
			}
			name, err := strconv.Unquote(quoted)
			if err != nil || strings.IndexByte(name, 0) >= 0 || name == "" {
				return nil, &ParseError{line, fmt.Sprintf("%s is not a name", quoted)}
			}
			list, s = append(list, token{name, true, line}), s[len(quoted):]
			continue
		case strings.IndexByte("{}()[]*@:=,", c) >= 0:
		default:
			for n = 0; n < len(s) && strings.IndexByte("{}()[]*@:=, \t\"", s[n]) < 0; n++ {
				if s[n] < ' ' || s[n] >= 0x7f {
					return nil, &ParseError{line, fmt.Sprintf("character %q: names with such characters are in quotes", s[n])}
				}
			}
		}
		list, s = append(list, token{s[:n], false, line}), s[n:]
	}
	return list, nil
}
