package corpus

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/btfbatch/btfbatch/config"
)

// grove creates a folder with files and links (name -> target).
func grove(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		name, target, isLink := strings.Cut(name, " -> ")
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if isLink {
			if err := os.Symlink(target, path); err != nil {
				t.Skipf("no links here: %v", err)
			}
		} else if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func matched(t *testing.T, dir, pattern string) []string {
	t.Helper()
	list, err := config.Match(dir, pattern)
	if err != nil {
		t.Errorf("%s: %v", pattern, err)
	}
	for i := range list {
		list[i] = strings.TrimPrefix(list[i], dir+"/")
	}
	return list
}

func TestMatch(t *testing.T) {
	dir := grove(t, "a.ko", "x/a.ko", "x/b.o", "x/y/c.ko", "x/y/z/a.ko", ".h/d.ko", "b{c.ko", "x/b,c",
		"self -> .", "x/up -> ..", "x/y/z/top -> ../../..", "link.ko -> x/b.o", "dangling.ko -> nowhere", "mods -> x")
	for pattern, want := range map[string]string{
		"*.ko":           "a.ko b{c.ko dangling.ko link.ko",
		"**/*.ko":        ".h/d.ko a.ko b{c.ko dangling.ko link.ko x/a.ko x/y/c.ko x/y/z/a.ko",
		"**/**/**/*.ko":  ".h/d.ko a.ko b{c.ko dangling.ko link.ko x/a.ko x/y/c.ko x/y/z/a.ko",
		"x/**":           "x/a.ko x/b,c x/b.o x/y/c.ko x/y/z/a.ko",
		"x/**/a.ko":      "x/a.ko x/y/z/a.ko",
		"*/a.ko":         "mods/a.ko self/a.ko x/a.ko",
		"mods/**/a.ko":   "mods/a.ko mods/y/z/a.ko",
		"**/self/a.ko":   "self/a.ko",
		"{x,mods}/?.ko":  "mods/a.ko x/a.ko",
		"x/{a,y/{c,d}}*": "x/a.ko x/y/c.ko",
		"{,x/}a.ko":      "a.ko x/a.ko",
		`x/{b\,c,b.o}`:   "x/b,c x/b.o",
		`b\{c.*`:         "b{c.ko",
		"b[{]c.*":        "b{c.ko",
		"x/b[,}]c":       "x/b,c",
		"[!a]/[^b].ko":   "x/a.ko",
		"nowhere/*":      "",
		"{}/a":           "",
	} {
		if got := strings.Join(matched(t, dir, pattern), " "); got != want {
			t.Errorf("%s: got %q, want %q", pattern, got, want)
		}
	}
}

// TestMatchAgainstLibrary: in a tree without links, the matches are those of package doublestar.
func TestMatchAgainstLibrary(t *testing.T) {
	var names []string
	for i := range 64 {
		names = append(names, fmt.Sprintf("d%d/e%d/f%d.%s", i%4, i%7, i, []string{"ko", "o", "elf"}[i%3]))
	}
	dir := grove(t, names...)
	for _, pattern := range []string{"**", "**/*", "d?/**", "d[12]/*/*.ko", "**/e{1,3,5}/*.{o,ko}", "{d1,d2/e2}/**/f*", "**/e*/**/*3*", "d0/**/**", "*/*/**/*.elf", "d{0,{1,2}}/e?/*"} {
		want, err := doublestar.Glob(os.DirFS(dir), pattern, doublestar.WithFilesOnly())
		if err != nil {
			t.Fatal(err)
		}
		got := matched(t, dir, pattern)
		missing := map[string]bool{}
		for _, w := range want {
			missing[w] = true
		}
		for _, g := range got {
			if !missing[g] {
				t.Errorf("%s: got %s, which the library does not match", pattern, g)
			}
			delete(missing, g)
		}
		if len(missing) > 0 || len(got) == 0 {
			t.Errorf("%s: got %d files, without %v", pattern, len(got), missing)
		}
	}
}

// TestMatchEnds: the time for a pattern depends on the size of the tree, not on the number of ways in which the pattern can match.
func TestMatchEnds(t *testing.T) {
	names := []string{"self -> .", "a/self -> ..", "a/b/self -> ../.."}
	deep := "d"
	for range 30 {
		deep += "/a"
		names = append(names, deep+"/f.ko")
	}
	dir := grove(t, names...)
	if got := len(matched(t, dir, strings.Repeat("**/", 6)+"*.ko")); got != 30 {
		t.Errorf("six **: got %d files, want 30", got)
	}
	if got := len(matched(t, dir, strings.Repeat("**/a/", 12)+"*.ko")); got != 19 {
		t.Errorf("** and a, twelve times: got %d files, want 19", got)
	}
	if got := len(matched(t, dir, "d/"+strings.Repeat("{a,?}/", 9)+"*.ko")); got != 1 {
		t.Errorf("512 alternatives: got %d files, want 1", got)
	}
	if _, err := config.Match(dir, strings.Repeat("{a,b}", 25)); err == nil || !strings.Contains(err.Error(), "alternatives for more than 1000 patterns") {
		t.Errorf("2^25 alternatives: got %v", err)
	}
}
