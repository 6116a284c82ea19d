package verify

import (
	"reflect"
	"strings"
	"sync"
	"testing"
)

// TestCheckedBase: a base that was checked once gives modules the same verdict, used by many goroutines.
func TestCheckedBase(t *testing.T) {
	base := newBlob()
	i := base.integer("int", 4)
	good := base.split()
	good.add(good.str("s"), info(kStruct, 1), 4, good.str("m"), i, 0)
	bad := base.split()
	bad.add(bad.str("a b"), info(kStruct, 1), 4, bad.str("m"), i, 0)
	named := base.split()
	named.ref(kTypedef, i, "int")
	for _, k := range Kernels()[1:] {
		b, err := NewBase(base.bytes(), k, nil)
		if err != nil {
			t.Fatalf("%v: %v", k, err)
		}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for _, split := range []*blob{good, bad, named} {
					got := Check(split.bytes(), Options{Kernel: k, Path: Module, Checked: b})
					want := Check(split.bytes(), Options{Kernel: k, Path: Module, Base: base.bytes()})
					if !reflect.DeepEqual(got, want) {
						t.Errorf("%v: got %v, want %v", k, got, want)
					}
					lint := LintOptions{Kernel: k, Module: true, Checked: b}
					gotLint := Lint(split.bytes(), lint)
					lint.Checked, lint.Base = nil, base.bytes()
					if wantLint := Lint(split.bytes(), lint); !reflect.DeepEqual(gotLint, wantLint) {
						t.Errorf("%v: got warnings %v, want %v", k, gotLint, wantLint)
					}
				}
			})
		}
		wg.Wait()
	}
}

func TestCheckedBaseIsWrong(t *testing.T) {
	base := newBlob()
	base.integer("int", 4)
	b, err := NewBase(base.bytes(), V6_12, nil)
	if err != nil {
		t.Fatal(err)
	}
	split := base.split().bytes()
	for _, tt := range []struct {
		name, want string
		opt        Options
	}{
		{"other kernel", "the base was checked for kernel 6.12", Options{Path: Module, Kernel: V6_1, Checked: b}},
		{"two bases", "two bases are given", Options{Path: Module, Kernel: V6_12, Checked: b, Base: base.bytes()}},
	} {
		if err := Check(split, tt.opt); err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
	if _, err := NewBase([]byte("no BTF"), V6_12, nil); err == nil || !strings.HasPrefix(err.Error(), "base: ") {
		t.Errorf("got %v, want a refusal of the base", err)
	}
}
