package xz

import "syscall"

// mapMemory returns zeroed memory outside of the heap, in large pages where the system has some; nil if there is none.
func mapMemory(size int) []byte {
	b, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil
	}
	_ = syscall.Madvise(b, syscall.MADV_HUGEPAGE) // fails where there are none
	return b
}

// unmapMemory frees what mapMemory returned. It does nothing with a part of the heap.
func unmapMemory(b []byte) { _ = syscall.Munmap(b) }
