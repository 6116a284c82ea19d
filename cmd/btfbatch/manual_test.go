package main

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/cmd/internal/interrupt"
	"github.com/btfbatch/btfbatch/cmd/internal/manual"
	"github.com/btfbatch/btfbatch/corpus/peer"
)

var updateReference = flag.Bool("update-reference", false, "write docs/cli.md and docs/manifest-keys.md")

func testBook(t *testing.T) *manual.Book {
	t.Helper()
	root := newRoot(nil, new(interrupt.Interrupter))
	givenOnce(root) // as the program does: it makes the flags of all commands known to each
	b, err := newBook(root)
	if err != nil {
		t.Fatal(err)
	}
	b.Date, b.Version = "2026-11-30", "btfbatch v1.2.3"
	return b
}

// TestReferenceIsCurrent: the reference pages in docs are those of the program.
func TestReferenceIsCurrent(t *testing.T) {
	b := testBook(t)
	for file, want := range map[string]string{"cli.md": b.Commands(), "manifest-keys.md": b.Keys()} {
		path := filepath.Join("..", "..", "docs", file)
		if *updateReference {
			if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("docs/%s is not what the program says: go test ./cmd/btfbatch -run Reference -update-reference", file)
		}
	}
}

// TestManualPages checks the pages with the formatters that are installed.
func TestManualPages(t *testing.T) {
	dir := t.TempDir()
	var files []string
	for _, p := range testBook(t).Pages() {
		path := filepath.Join(dir, p.Name)
		if err := os.WriteFile(path, []byte(p.Text), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, path)
	}
	if len(files) < 20 {
		t.Errorf("got %d pages, want one for each command", len(files))
	}
	for _, formatter := range [][]string{{"mandoc", "-T", "lint", "-W", "warning"}, {"man", "--warnings=w", "-E", "UTF-8", "-l", "-Z"}} {
		t.Run(formatter[0], func(t *testing.T) {
			peer.Installed(t, formatter[0])
			cmd := exec.Command(formatter[0], append(formatter[1:], files...)...)
			var complaints strings.Builder
			cmd.Stderr = &complaints
			if formatter[0] == "mandoc" {
				cmd.Stdout = &complaints
			}
			if err := cmd.Run(); err != nil || complaints.Len() > 0 {
				t.Errorf("%v\n%s", err, complaints.String())
			}
		})
	}
}

// TestEnvironmentIsDocumented: the reference has exactly the variables that the program reads.
func TestEnvironmentIsDocumented(t *testing.T) {
	var err error
	if sourceDir, err = os.Getwd(); err != nil {
		t.Fatal(err)
	}
	var documented []string
	for _, term := range envTerms {
		documented = append(documented, "$"+term.Name)
	}
	read := environment(t)
	for _, file := range []string{"s3", "oci"} { // where names are looked up by functions
		text, err := os.ReadFile(filepath.Join("..", "..", "corpus", "store", file, "credentials.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`"((?:AWS|DOCKER|REGISTRY|XDG)_[A-Z0-9_]+)"`).FindAllSubmatch(text, -1) {
			read = append(read, "$"+string(m[1]))
		}
	}
	for _, name := range read {
		if !slices.Contains(documented, name) {
			t.Errorf("%s is read, and envTerms does not explain it", name)
		}
	}
	for _, name := range documented {
		if !slices.Contains(read, name) && name != "$BTFBATCH_VERIFY" && name != "$BTFBATCH_SHARDS" && name != "$PAHOLE_LANG_EXCLUDE" { // read by a name that is a constant
			t.Errorf("envTerms has %s, which is not read", name)
		}
	}
}
