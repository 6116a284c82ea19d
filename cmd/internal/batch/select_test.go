package batch

import (
	"fmt"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus"
)

func TestSelectNames(t *testing.T) {
	var items []corpus.Item
	for _, name := range []string{"debian/12/6.1-arm64", "debian/12/6.1-amd64", "ubuntu-6.8-arm64", "a[1]", "vmlinux", "mod"} {
		items = append(items, corpus.Item{Image: config.Image{Name: name}, Base: -1})
	}
	items[5].Base = 4
	for _, tt := range []struct {
		patterns []string
		want     string // names, or the error
	}{
		{[]string{"*arm64*"}, "debian/12/6.1-arm64 ubuntu-6.8-arm64"},
		{[]string{"**arm64"}, "debian/12/6.1-arm64 ubuntu-6.8-arm64"},
		{[]string{"debian/*"}, "debian/12/6.1-arm64 debian/12/6.1-amd64"},
		{[]string{"debian/*/6.1-a[m]?64"}, "debian/12/6.1-amd64"},
		{[]string{"debian?12?6.1-amd64", "ubuntu*"}, "debian/12/6.1-amd64 ubuntu-6.8-arm64"},
		{[]string{"a[1]"}, "a[1]"},
		{[]string{"mod"}, "vmlinux mod"},
		{[]string{"*"}, "debian/12/6.1-arm64 debian/12/6.1-amd64 ubuntu-6.8-arm64 a[1] vmlinux mod"},
		{[]string{"vmlinus"}, `no image is named "vmlinus"; did you mean "vmlinux"?`},
		{[]string{"mod", "6.1-AMD64"}, `no image is named "6.1-AMD64"; did you mean "debian/12/6.1-amd64"?`},
		{[]string{"*fedora*"}, `no image is named "*fedora*"; the images are "debian/12/6.1-arm64", "debian/12/6.1-amd64", "ubuntu-6.8-arm64", 3 more`},
		{[]string{"[a"}, `pattern "[a": syntax error in pattern`},
	} {
		got, err := Select(items, tt.patterns)
		text := itemNames(got)
		if err != nil {
			text = err.Error()
		}
		if text != tt.want {
			t.Errorf("%q: got %s, want %s", tt.patterns, text, tt.want)
		}
	}
}

// TestDoubts: the first five images are listed, and the others are counted.
func TestDoubts(t *testing.T) {
	for n, want := range []int{0, 1, 2, 3, 4, 5, 6, 6} { // lines
		items := make([]corpus.Item, n+1) // one of them without doubts
		for i := range n {
			items[i].Doubts = []string{"it is odd", "it is new"}
		}
		lines := Doubts(items)
		if len(lines) != want {
			t.Errorf("%d images: got %d lines, want %d", n, len(lines), want)
			continue
		}
		if n > 0 && !strings.HasSuffix(lines[0], ": it is odd; it is new") {
			t.Errorf("%d images: got %q", n, lines[0])
		}
		if counted := n > 5; counted && lines[5] != fmt.Sprintf("%d more images have such warnings", n-5) {
			t.Errorf("%d images: got %q", n, lines[5])
		}
	}
}
