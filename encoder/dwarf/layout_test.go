package dwarf

import (
	"testing"
	"unsafe"
)

// TestSizes: what there is one of per declaration or attribute stays small.
func TestSizes(t *testing.T) {
	for _, row := range []struct {
		name string
		got  uintptr
		want uintptr
	}{
		{"attr", unsafe.Sizeof(attr{}), 16},
		{"layout", unsafe.Sizeof(layout{}), 24},
		{"Abbrev", unsafe.Sizeof(Abbrev{}), 48},
		{"declaration", unsafe.Sizeof(declaration{}), 128},
	} {
		if row.got != row.want {
			t.Errorf("%s: got %d bytes, want %d", row.name, row.got, row.want)
		}
	}
}
