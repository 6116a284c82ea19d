package btfbatch_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	fencedBlock = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	codeSpan    = regexp.MustCompile("`[^`\n]*`")
	headingLine = regexp.MustCompile(`(?m)^#+ +(.*)$`)
	linkTarget  = regexp.MustCompile(`\]\(<?([^)\s>]+)>?\)|(?:src|srcset|href)="([^"]+)"`)
	notInAnchor = regexp.MustCompile(`[^\p{L}\p{N}\p{M}_\- ]`)
)

// anchors returns the fragments of the headings of a document, as GitHub makes them.
func anchors(text string) (list []string) {
	for _, m := range headingLine.FindAllStringSubmatch(fencedBlock.ReplaceAllString(text, ""), -1) {
		title := regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`).ReplaceAllString(m[1], "$1")
		anchor := strings.ReplaceAll(notInAnchor.ReplaceAllString(strings.ToLower(strings.TrimSpace(title)), ""), " ", "-")
		name := anchor
		for n := 1; slices.Contains(list, name); n++ {
			name = fmt.Sprint(anchor, "-", n)
		}
		list = append(list, name)
	}
	return list
}

// brokenLinks lists the links in a document that lead to no file, or to no heading of a document. read returns the text of a file.
func brokenLinks(path, text string, read func(path string) (string, error)) (broken []string) {
	text = codeSpan.ReplaceAllString(fencedBlock.ReplaceAllString(text, ""), "")
	for _, m := range linkTarget.FindAllStringSubmatch(text, -1) {
		link := m[1] + m[2]
		if strings.Contains(link, "://") || strings.HasPrefix(link, "mailto:") {
			continue
		}
		target, fragment, _ := strings.Cut(link, "#")
		if target == "" {
			target = path
		} else {
			target = filepath.Join(filepath.Dir(path), filepath.FromSlash(target))
		}
		other, err := read(target)
		if err != nil || fragment != "" && filepath.Ext(target) == ".md" && !slices.Contains(anchors(other), fragment) {
			broken = append(broken, link)
		}
	}
	return broken
}

// TestLinks: links in documents lead to files that exist, and to headings that exist.
func TestLinks(t *testing.T) {
	read := func(path string) (string, error) {
		if info, err := os.Stat(path); err != nil || info.IsDir() {
			return "", err
		}
		text, err := os.ReadFile(path)
		return string(text), err
	}
	n := 0
	for _, path := range prose(t) {
		if filepath.Ext(path) != ".md" {
			continue
		}
		n++
		text, err := read(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range brokenLinks(path, text, read) {
			t.Errorf("%s: the link %s leads nowhere", path, link)
		}
	}
	if n < 20 {
		t.Errorf("%d documents were checked, want more", n)
	}
}

// TestLinksFails: what GitHub would not find is found, and nothing else.
func TestLinksFails(t *testing.T) {
	files := map[string]string{"a.md": "# Über `a_b`, and c!\n## Same\n## Same\n```\n# none\n```\n", "docs/p.png": "", "docs/b.md": ""}
	read := func(path string) (string, error) {
		if text, ok := files[filepath.ToSlash(path)]; ok {
			return text, nil
		}
		return "", os.ErrNotExist
	}
	text := "[x](../a.md) [x](../a.md#über-a_b-and-c) [x](../a.md#same) [x](../a.md#same-1) [x](p.png) [x](https://example.org/#x) `[x](code)` [x](#here)\n## Here\n" +
		"[x](a.md) [x](../a.md#same-2) [x](../a.md#none) [x](#there) <img src=\"q.png\"> ![x](r.png)\n```\n[x](block)\n```\n"
	files["docs/b.md"] = text
	want := []string{"a.md", "../a.md#same-2", "../a.md#none", "#there", "q.png", "r.png"}
	if got := brokenLinks("docs/b.md", text, read); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
