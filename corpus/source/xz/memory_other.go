//go:build !linux

package xz

// mapMemory returns nil: memory is taken from the heap.
func mapMemory(int) []byte { return nil }

func unmapMemory([]byte) {}
