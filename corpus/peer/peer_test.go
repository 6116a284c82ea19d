package peer_test

import (
	"path/filepath"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/peer"
)

// TestLab: a test that has left its folder finds the lab beside the checkout.
func TestLab(t *testing.T) {
	want, err := filepath.Abs(filepath.Join("..", "..", "..", ".lab"))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("LAB", "")
	t.Chdir(t.TempDir())
	if got := peer.Lab(t); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
