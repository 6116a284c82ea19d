package escape

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// hostile are names that mean something to a medium.
var hostile = []string{
	"x\n::warning file=a,line=1::INJECTED\ny.elf", "x\r::error::INJECTED", "::error::INJECTED", "  ::add-mask::INJECTED", "a ##[error]INJECTED",
	"\x1b[31mred\x1b[0m", "\x1b]0;title\a", "\u009b31m", "bell\a\b\x00\x7f", "tab\tand\vfeed\f",
	"user\u202egnp.exe", "\u2066isolate\u2069", "\ufeffbom", "zero\u200bwidth", "line\u2028separator\u2029", "tag\U000e0041",
	"bad\xff\xfe\xc3", "half\xe2\x82", "surrogate\xed\xa0\x80", "a|b|c", "`code`", "```\nfence", "<script>alert(1)</script>", "<!-- -->", "</details>",
	"&lt;", "]]>", "[link](javascript:1)", "![i](x)", "*b* _i_ ~s~", "# head", "https://example.org www.example.org", "$math$", `back\slash`, "100%0A",
	"title,line=9::x",
}

// unseen are characters that no medium may be given.
func unseen(s, but string) (bad []rune) {
	for i, r := range s {
		_, n := utf8.DecodeRuneInString(s[i:])
		if (!unicode.IsPrint(r) || r == utf8.RuneError && n == 1) && !strings.ContainsRune(but, r) {
			bad = append(bad, r)
		}
	}
	return bad
}

// isCommand tells whether a runner of GitHub Actions takes a line of the log for a command.
func isCommand(log string) bool {
	for line := range strings.SplitSeq(log, "\n") {
		if strings.HasPrefix(strings.TrimLeftFunc(line, unicode.IsSpace), "::") || strings.Contains(line, "##[") {
			return true
		}
	}
	return false
}

func TestHostileNames(t *testing.T) {
	for _, name := range hostile {
		for medium, write := range map[string]func(string) string{
			"line": Line, "markdown": Markdown, "HTML": HTML, "data": Data, "property": Property,
		} {
			if got := write(name); len(unseen(got, "")) > 0 {
				t.Errorf("%s of %q: got %q", medium, name, got)
			}
		}
		for medium, write := range map[string]func(string) string{"text": Text, "XML": XML} {
			if got := write(name); len(unseen(got, "\n\t")) > 0 || strings.Count(got, "\n") != strings.Count(name, "\n") {
				t.Errorf("%s of %q: got %q", medium, name, got)
			}
		}
		if got := Line(name); isCommand(got) || isCommand("  "+got) {
			t.Errorf("line of %q: got %q, which is a command", name, got)
		}
		if got := Text(name); isCommand(got) {
			t.Errorf("text of %q: got %q, which is a command", name, got)
		}
		if got := Property(name); strings.ContainsAny(got, ":,\n\r") {
			t.Errorf("property of %q: got %q", name, got)
		}
		if got := Markdown(name); strings.ContainsAny(got, "<>") || strings.Contains(strings.ReplaceAll(got, `\|`, ""), "|") {
			t.Errorf("markdown of %q: got %q", name, got)
		}
		if got := HTML(name); strings.ContainsAny(got, "<>\"'") {
			t.Errorf("HTML of %q: got %q", name, got)
		}
		checkXML(t, name)
		checkJSON(t, name)
	}
}

// checkXML: an encoder writes what XML gives it as it is, and does not put a question mark in its place.
func checkXML(t *testing.T, name string) {
	t.Helper()
	var b bytes.Buffer
	if err := xml.EscapeText(&b, []byte(XML(name))); err != nil || isCommand(b.String()) && !strings.HasPrefix(strings.TrimSpace(name), "::") || strings.ContainsRune(b.String(), utf8.RuneError) {
		t.Errorf("XML of %q: got %s, %v", name, &b, err)
	}
	var back struct {
		Text string `xml:",chardata"`
	}
	if err := xml.Unmarshal([]byte("<a>"+b.String()+"</a>"), &back); err != nil || back.Text != XML(name) {
		t.Errorf("XML of %q: read back %q, %v", name, back.Text, err)
	}
}

// checkJSON: the value stays, and can be looked at.
func checkJSON(t *testing.T, name string) {
	t.Helper()
	var plain bytes.Buffer
	enc := json.NewEncoder(&plain)
	enc.SetEscapeHTML(false)
	if err := enc.Encode([]string{name}); err != nil {
		t.Fatal(err)
	}
	got := JSON(plain.Bytes())
	var back, want []string
	if err := json.Unmarshal(plain.Bytes(), &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(got, &back); err != nil || back[0] != want[0] || len(unseen(string(got), "\n"+string(utf8.RuneError))) > 0 || isCommand(string(got)) {
		t.Errorf("JSON of %q: got %s, %v", name, got, err)
	}
	if text, err := Marshal([]string{name}, "", ""); err != nil || string(text)+"\n" != string(got) {
		t.Errorf("Marshal of %q: got %s, %v, want %s", name, text, err, got)
	}
}

// TestPlainNames: names that mean nothing stay as they are.
func TestPlainNames(t *testing.T) {
	for _, name := range []string{"debian-6.12-arm64", "mods/ext4", "größe", "日本語", "a b", "std::vector<int>", "😀", "x::y", "'q' \"q\""} {
		for medium, write := range map[string]func(string) string{"line": Line, "text": Text, "XML": XML, "data": Data} {
			if got := write(name); got != name {
				t.Errorf("%s: got %q, want %q", medium, got, name)
			}
		}
	}
	if got, want := Line("a\x1b\n\u202e\xff\\"), `a\x1b\n\u202e\xff\`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
