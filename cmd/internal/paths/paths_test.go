package paths

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCheck has each role against each other, for one file by six names. The names are tried while the file is there and while it
// is not.
func TestCheck(t *testing.T) {
	// What the later one has against the earlier; empty if they go together.
	want := map[[2]Role]string{
		{Input, Input}: "", {Golden, Golden}: "", {Golden, Update}: "", {Update, Update}: "", {Remove, Remove}: "",
		{Input, Golden}: "is the same file as B", {Input, Update}: "would overwrite B",
		{Input, Output}: "would overwrite B", {Input, Append}: "would overwrite B", {Input, Remove}: "would overwrite B",
		{Golden, Output}: "would overwrite B", {Golden, Append}: "would overwrite B", {Golden, Remove}: "would overwrite B",
		{Update, Output}: "would overwrite B", {Update, Append}: "would overwrite B", {Update, Remove}: "would overwrite B",
		{Output, Output}: "writes the same file as B", {Output, Append}: "writes the same file as B", {Output, Remove}: "writes the same file as B",
		{Append, Append}: "writes the same file as B", {Append, Remove}: "writes the same file as B",
		{Input, Publish}: "would overwrite B", {Golden, Publish}: "would overwrite B", {Update, Publish}: "would overwrite B", {Publish, Publish}: "",
		{Output, Publish}: "would overwrite B", {Append, Publish}: "would overwrite B", {Remove, Publish}: "would overwrite B",
	}
	dir := t.TempDir()
	t.Chdir(dir)
	if err := errors.Join(os.MkdirAll("d/e", 0o700), os.Symlink("f", "link"), os.Symlink("..", "d/up"), os.Symlink("d/e", "deep")); err != nil {
		t.Fatal(err)
	}
	for _, there := range []bool{false, true} {
		names := []string{"f", "./d/../f", "link", "d/up/f", dir + "/f", "deep/../up/f"}
		if there {
			if err := errors.Join(os.WriteFile("f", nil, 0o600), os.Link("f", "hard")); err != nil {
				t.Fatal(err)
			}
			names = append(names, "hard")
		}
		for _, name := range names {
			for a := Input; a <= Publish; a++ {
				for b := Input; b <= Publish; b++ {
					message, ok := want[[2]Role{min(a, b), max(a, b)}]
					if !ok {
						t.Fatalf("no row for roles %d and %d", a, b)
					}
					uses := []Use{{Path: "f", Role: a, What: "A"}, {Path: name, Role: b, What: "B"}}
					later, other := 1, "A"
					if a.rank() > b.rank() {
						later, other = 0, "B"
					}
					message = strings.Replace(message, "B", other, 1)
					got := ""
					for _, c := range Check(uses) {
						got, _, _ = strings.Cut(c.Message, " (")
						if c.Use != later || c.Alone {
							t.Errorf("%s: roles %d and %d: got a conflict of use %d, alone %t, want of %d", name, a, b, c.Use, c.Alone, later)
						}
					}
					if got != message {
						t.Errorf("%s, there %t: roles %d and %d: got %q, want %q", name, there, a, b, got, message)
					}
				}
			}
		}
	}
}

// TestCheckPlaces has paths that cannot be written, or that would have to be files and folders at once.
func TestCheckPlaces(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := errors.Join(os.MkdirAll("d", 0o700), os.WriteFile("f", nil, 0o600), os.Symlink("loop", "loop"), mkfifo("fifo")); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("n", 256)
	out := func(path string) Use { return Use{Path: path, Role: Output, What: path} }
	in := func(path string) Use { return Use{Path: path, Role: Input, What: path} }
	for _, tt := range []struct {
		uses []Use
		want string
	}{
		{[]Use{out("x"), out("x/y")}, "1: is below x, which is not a folder"},
		{[]Use{out("x/y/z"), out("x")}, "1: would have to be a folder too: x/y/z is below it"},
		{[]Use{out("x/y"), {Path: "x", Role: Golden}}, "0: is below , which is not a folder"},
		{[]Use{out("x/y"), out("x/z"), out("xx"), in("d/y"), out("d/z"), in("none/x"), in("none")}, ""},
		{[]Use{out("f/x"), in("f")}, "0: is below f, which is not a folder"},
		{[]Use{out("f/x/y"), in("f")}, "0: is below f, which is not a folder"},
		{[]Use{out("f/x")}, "0: f/x: not a directory, alone"},
		{[]Use{out("d")}, "0: d is not a regular file but a folder: name a file in it, alone"},
		{[]Use{out("fifo"), {Path: "fifo", Role: Append}}, "0: fifo is not a regular file, alone"},
		{[]Use{{Path: "/dev/null", Role: Update}, {Path: "d", Role: Golden}, {Path: "d", Role: Remove}, {Path: "/dev/null", Role: Append}},
			"0: /dev/null is not a regular file, alone; 2: would overwrite "},
		{[]Use{out("loop")}, "0: loop: too many levels of symbolic links, alone"},
		{[]Use{in("loop"), in("f/x"), in(long), out("")}, ""},
		{[]Use{out(long)}, "0: has a name of 256 bytes; the limit is 255"},
		{[]Use{out("new/" + long + "/x")}, "0: has a name of 256 bytes; the limit is 255"},
		{[]Use{in("d/.btfbatch-x")}, "0: names that start with .btfbatch- are reserved for temporary files"},
	} {
		var got []string
		for _, c := range Check(tt.uses) {
			s := fmt.Sprintf("%d: %s", c.Use, c.Message)
			if c.Alone {
				s += ", alone"
			}
			got = append(got, s)
		}
		if got := strings.Join(got, "; "); got != tt.want {
			t.Errorf("%v: got %q, want %q", tt.uses, got, tt.want)
		}
	}
}

// TestFolding has a file system where names mean the same in upper and in lower case.
func TestFolding(t *testing.T) {
	t.Chdir(t.TempDir())
	uses := []Use{{Path: "new/A.btf", Role: Output, What: "A"}, {Path: "NEW/a.btf", Role: Output, What: "B"}}
	if got := Check(uses); len(got) != 0 {
		t.Errorf("got %v, want no conflict", got)
	}
	folding = func(string) bool { return true }
	defer func() { folding = folds }()
	if got := Check(uses); len(got) != 1 || got[0].Message != "writes the same file as A (new/A.btf)" {
		t.Errorf("folded: got %v, want a conflict", got)
	}
}

func TestFolds(t *testing.T) {
	dir := t.TempDir()
	if folds(dir) { // an empty folder
		t.Skip("the file system folds names")
	}
	// One file by both names, on a file system that does not fold.
	if err := errors.Join(os.WriteFile(dir+"/a", nil, 0o600), os.Link(dir+"/a", dir+"/A")); err != nil {
		t.Fatal(err)
	}
	if folds(dir) {
		t.Error("hard links are taken for one name")
	}
}

// TestManyUsesOfOneFile: the time for a file that many images read grows with their number, not with its square, because a use is compared
// with one use in each role.
func TestManyUsesOfOneFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "image")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	uses := make([]Use, 1000)
	for i := range uses {
		uses[i] = Use{Path: file, Role: Input, What: fmt.Sprint("image ", i)}
	}
	uses = append(uses, Use{Path: filepath.Join(dir, ".", "image"), Role: Output, What: "the output"})
	c := newChecker(uses)
	for i := range uses {
		c.add(i)
	}
	for key, list := range c.at {
		if len(list) > 1 {
			t.Errorf("%s: got %d uses to compare with, want the first one", key, len(list))
		}
	}
	if len(c.list) != 1 || c.list[0].Use != 1000 || !strings.Contains(c.list[0].Message, "image 0") {
		t.Errorf("got the conflicts %+v, want one with the first use", c.list)
	}
}
