package claim

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// never does not wait.
func never(*HeldError) bool { return false }

func claims(t *testing.T, folder string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(folder, "*"+ending))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestTake: a file has one owner, however it is spelled. Other files of its folder are free.
func TestTake(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "runs")
	t.Chdir(t.TempDir())
	if err := errors.Join(os.Mkdir("out", 0o700), os.Symlink("out", "link"), os.Symlink("out/a", "b"), os.Symlink("out/new", "c")); err != nil {
		t.Skipf("no links here: %v", err)
	}
	release, err := Take(t.Context(), folder, "m.yaml", []string{"out/a", "out/new", "d/e/f"}, never)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		files []string
		held  string
	}{
		{[]string{"out/a"}, "out/a"},
		{[]string{"x", "link/a"}, "link/a"},
		{[]string{"./out//../out/a"}, "./out//../out/a"},
		{[]string{"b"}, "b"},
		{[]string{"c"}, "c"},
		{[]string{"d/e/f"}, "d/e/f"},
		{[]string{"out/new", "out/a"}, "out/a"},
		{[]string{"a", "out/b", "d/e", "d/e/f/g", "d"}, ""},
		{nil, ""},
	} {
		again, err := Take(t.Context(), folder, "other.yaml", tt.files, never)
		var held *HeldError
		switch {
		case errors.As(err, &held):
			if held.File != tt.held || held.Owner.Process != os.Getpid() || filepath.Base(held.Owner.Manifest) != "m.yaml" {
				t.Errorf("%q: got %v, want %q", tt.files, err, tt.held)
			}
		case err != nil || tt.held != "":
			t.Errorf("%q: got %v, want %q", tt.files, err, tt.held)
		default:
			again()
		}
	}
	release()
	if left := claims(t, folder); left != nil {
		t.Errorf("left: %q", left)
	}
}

// TestVoid: claims of processes that have ended, and what is no claim, are removed and bind nobody.
func TestVoid(t *testing.T) {
	folder := t.TempDir()
	release, err := Take(t.Context(), folder, "m", []string{"a"}, never)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(claims(t, folder)[0])
	release()
	for i, text := range []string{string(whole), string(whole[:len(whole)/2]), "", "\n", "\n{}\n", "\n{}\n1234567", "\nnull"} {
		if e := os.WriteFile(filepath.Join(folder, fmt.Sprint(i, ending)), []byte(text), 0o600); e != nil || err != nil {
			t.Fatal(e, err)
		}
	}
	release, err = Take(t.Context(), folder, "m", []string{"a"}, never)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(claims(t, folder)); n != 1 {
		t.Errorf("%d claims, want 1", n)
	}
	release()
}

// TestOneAtATime: runs that claim random files never have one at the same time, and all of them get theirs.
func TestOneAtATime(t *testing.T) {
	folder := t.TempDir()
	var owners [6]atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 4 {
				var files []string
				var mine []int
				for i := range owners {
					if rand.IntN(3) == 0 {
						mine, files = append(mine, i), append(files, fmt.Sprint(i))
					}
				}
				release, err := Take(t.Context(), folder, "m", files, func(*HeldError) bool { return true })
				if err != nil {
					t.Error(err)
					return
				}
				for _, i := range mine {
					if owners[i].Add(1) != 1 {
						t.Errorf("file %d has two owners", i)
					}
				}
				time.Sleep(time.Millisecond)
				for _, i := range mine {
					owners[i].Add(-1)
				}
				release()
			}
		})
	}
	wg.Wait()
}

// TestManyFiles: a claim of 3,000 files costs some milliseconds.
func TestManyFiles(t *testing.T) {
	folder, out := t.TempDir(), t.TempDir()
	var files []string
	for i := range 1000 {
		for _, end := range []string{"btf", "btf.json", "btf.rejected"} {
			files = append(files, filepath.Join(out, fmt.Sprint(i%10), fmt.Sprintf("%d.%s", i, end)))
		}
	}
	start := time.Now()
	release, err := Take(t.Context(), folder, "m", files, never)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("claimed in %v", time.Since(start))
	start = time.Now()
	if _, err := Take(t.Context(), folder, "m", files[2999:], never); err == nil {
		t.Error("the last file is not claimed")
	}
	t.Logf("compared in %v", time.Since(start))
	st, err := os.Stat(claims(t, folder)[0])
	if err != nil || st.Size() > 25_000 {
		t.Errorf("the claim has %d bytes, %v", st.Size(), err)
	}
	release()
}
