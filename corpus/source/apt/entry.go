package apt

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// An entry is a suite of an archive, as the configuration of apt lists it.
type entry struct {
	uri, suite string
	components string // separated by blanks
	fields     []field
}

// A field is one that is kept as it is: it says which keys to trust.
type field struct{ name, text string }

func (e entry) String() string { return strings.TrimRight(e.uri, "/") + " " + e.suite }

// kept are the fields that an entry of our own has in common with the one of the system.
var kept = []string{"Signed-By", "Trusted", "Check-Valid-Until", "Valid-Until-Max", "Allow-Weak"}

// systemEntries reads the lists of archives of the system.
func systemEntries(ctx context.Context) ([]entry, error) {
	out, err := run(ctx, "apt-config", "shell", "LIST", "Dir::Etc::sourcelist/f", "PARTS", "Dir::Etc::sourceparts/d")
	if err != nil {
		return nil, err
	}
	var list, parts string
	for line := range strings.Lines(string(out)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch value = strings.Trim(value, "'"); name {
		case "LIST":
			list = value
		case "PARTS":
			parts = value
		}
	}
	paths := []string{list}
	for _, pattern := range []string{"*.list", "*.sources"} {
		found, _ := filepath.Glob(filepath.Join(parts, pattern)) // the pattern is valid
		paths = append(paths, found...)
	}
	var all []entry
	for _, path := range paths {
		text, err := os.ReadFile(path)
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
			continue
		case err != nil:
			return nil, err
		case strings.HasSuffix(path, ".sources"):
			all = append(all, parseStanzas(text)...)
		default:
			all = append(all, parseLines(text)...)
		}
	}
	return all, nil
}

// parseLines reads the format of one line per archive: deb [options] URI suite components.
func parseLines(text []byte) (list []entry) {
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		line = strings.TrimSpace(line)
		rest, ok := strings.CutPrefix(line, "deb")
		if !ok || rest == "" || rest[0] != ' ' && rest[0] != '\t' {
			continue
		}
		rest = strings.TrimSpace(rest)
		var e entry
		if options, after, ok := strings.Cut(rest, "]"); ok && rest[0] == '[' {
			for option := range strings.FieldsSeq(options[1:]) {
				name, value, _ := strings.Cut(option, "=")
				if i := slices.IndexFunc(kept, func(k string) bool { return strings.EqualFold(k, name) }); i >= 0 {
					e.fields = append(e.fields, field{kept[i], " " + strings.ReplaceAll(value, ",", " ")})
				}
			}
			rest = after
		}
		if words := strings.Fields(rest); len(words) >= 2 {
			e.uri, e.suite, e.components = words[0], words[1], strings.Join(words[2:], " ")
			list = append(list, e)
		}
	}
	return list
}

// parseStanzas reads the format of one stanza per archive.
func parseStanzas(text []byte) (list []entry) {
	stanza := map[string]string{}
	last := ""
	flush := func() {
		if !strings.EqualFold(strings.TrimSpace(stanza["enabled"]), "no") && slices.Contains(strings.Fields(stanza["types"]), "deb") {
			var fields []field
			for _, name := range kept {
				if text := stanza[strings.ToLower(name)]; text != "" {
					fields = append(fields, field{name, text})
				}
			}
			for uri := range strings.FieldsSeq(stanza["uris"]) {
				for suite := range strings.FieldsSeq(stanza["suites"]) {
					list = append(list, entry{uri, suite, strings.Join(strings.Fields(stanza["components"]), " "), fields})
				}
			}
		}
		clear(stanza)
	}
	for scan := bufio.NewScanner(bytes.NewReader(text)); scan.Scan(); {
		line := scan.Text()
		switch {
		case strings.TrimSpace(line) == "":
			flush()
		case line[0] == '#':
		case line[0] == ' ' || line[0] == '\t':
			stanza[last] += "\n" + line
		default:
			name, value, _ := strings.Cut(line, ":")
			last = strings.ToLower(name)
			stanza[last] = value
		}
	}
	flush()
	return list
}

// debianArchive has all suites of Debian.
const debianArchive = "http://deb.debian.org/debian"

// debianEntry returns the entry of a suite in Debian's own archive, for a system whose archive lacks it, such as Ubuntu.
func debianEntry(suite string) entry {
	return entry{uri: debianArchive + sibling(suite), suite: suite, components: "main", fields: trustDistributions()}
}

// siblings are archives beside the main one, by the end of the suite.
var siblings = []struct{ suite, uri string }{{"-debug", "-debug"}, {"-security", "-security"}}

// sibling returns what the URL of a suite's archive has after that of the main one.
func sibling(suite string) string {
	for _, s := range siblings {
		if strings.HasSuffix(suite, s.suite) {
			return s.uri
		}
	}
	return ""
}

// choose returns the entry of a suite: the one that the system lists, or one of the system's archive, or of the stated mirror.
func choose(list []entry, suite, mirror string) (entry, error) {
	same := func(a, b string) bool { return strings.TrimRight(a, "/") == strings.TrimRight(b, "/") }
	if mirror != "" {
		e := entry{uri: mirror, suite: suite, components: "main"}
		for _, known := range list {
			if same(known.uri, mirror) {
				e.components, e.fields = known.components, known.fields
				break
			}
		}
		if len(e.fields) == 0 {
			e.fields = trustDistributions()
		}
		return e, nil
	}
	for _, e := range list {
		if e.suite == suite {
			return e, nil
		}
	}
	for _, e := range list {
		if e.components == "" || strings.Contains(e.suite, "-") || !strings.Contains(e.components, "main") {
			continue // a flat archive, or one with additions only
		}
		e.suite = suite
		if s := sibling(suite); s != "" {
			e.uri = strings.TrimRight(e.uri, "/") + s
		}
		return e, nil
	}
	return entry{}, fmt.Errorf("the configuration of apt has no archive for the suite %s: name a mirror, such as %s", suite, debianArchive)
}

// trustDistributions returns the field that trusts the keys of distributions that are installed, for an archive that the system does not list.
func trustDistributions() []field {
	var keys []string
	for _, pattern := range []string{"/usr/share/keyrings/*-archive-*keyring.gpg", "/etc/apt/trusted.gpg.d/*.gpg", "/etc/apt/trusted.gpg.d/*.asc"} {
		found, _ := filepath.Glob(pattern) // the pattern is valid
		for _, path := range found {
			if name := filepath.Base(path); !strings.Contains(name, "removed") && (strings.Contains(name, "debian") || strings.Contains(name, "ubuntu")) {
				keys = append(keys, path)
			}
		}
	}
	if len(keys) == 0 {
		return nil // apt uses its own list of keys
	}
	return []field{{"Signed-By", " " + strings.Join(keys, " ")}}
}
