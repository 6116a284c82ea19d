package btffile

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/input"
)

// TestViewChanges: a file that is cut short or written to while its BTF is parsed is an error that says so, whatever parsing it led to. A panic that
// has another reason stays one.
func TestViewChanges(t *testing.T) {
	wire, err := os.ReadFile(filepath.Join("..", "..", "..", "corpus", "images", "gcc12-x86_64-dwarf5-based.btf.golden"))
	if err != nil {
		t.Fatal(err)
	}
	errDamaged := errors.New("damaged")
	for name, tc := range map[string]struct {
		change func(path string) error
		parse  func(data []byte) (*btf.Object, error)
	}{
		"cut":     {func(path string) error { return os.Truncate(path, 0) }, btf.Skim},
		"longer":  {func(path string) error { return os.Truncate(path, int64(len(wire))+1) }, btf.Skim},
		"damaged": {func(path string) error { return os.WriteFile(path, make([]byte, len(wire)), 0o600) }, func([]byte) (*btf.Object, error) { return nil, errDamaged }},
	} {
		path := filepath.Join(t.TempDir(), "base.btf")
		if err := os.WriteFile(path, wire, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := openView(path, func(data []byte) (*btf.Object, error) {
			if err := tc.change(path); err != nil {
				t.Fatal(err)
			}
			return tc.parse(data)
		})
		if !errors.Is(err, input.ErrChanged) {
			t.Errorf("%s: got error %v", name, err)
		}
	}
	path := filepath.Join(t.TempDir(), "base.btf")
	if err := os.WriteFile(path, wire, 0o600); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if r := recover(); r != errDamaged { //nolint:errorlint // it is what was thrown
			t.Errorf("the panic became %v", r)
		}
	}()
	_, err = openView(path, func([]byte) (*btf.Object, error) { panic(errDamaged) })
	t.Errorf("the panic became error %v", err)
}
