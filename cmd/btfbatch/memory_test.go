package main

import (
	"runtime/debug"
	"testing"
)

// TestCollectLater: GOGC is off until the first progress, which is passed on, and then has the value of all commands that encode.
func TestCollectLater(t *testing.T) {
	percent := func() int {
		p := debug.SetGCPercent(100)
		debug.SetGCPercent(p)
		return p
	}
	defer debug.SetGCPercent(percent())
	t.Setenv("GOGC", "")
	heard := int64(0)
	tell := collectLater(func(n int64) { heard += n })
	if p := percent(); p != -1 {
		t.Errorf("before the first progress: got %d per cent, want none", p)
	}
	tell(3)
	tell(4)
	if p := percent(); p != garbage || heard != 7 {
		t.Errorf("after it: got %d per cent and %d bytes, want %d and 7", p, heard, garbage)
	}
	debug.SetGCPercent(80)
	t.Setenv("GOGC", "80")
	collectLater(func(int64) {})(1)
	if p := percent(); p != 80 {
		t.Errorf("with GOGC: got %d per cent, want 80", p)
	}
}
