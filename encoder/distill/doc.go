// Package distill reduces the base of split BTF to the types that the split BTF needs, and relocates such a pair to a whole base.
//
// Distill. Input: deduplicated split BTF. Output: a small base (the section .BTF.base) and the split BTF on top of it (.BTF). A module
// then survives changes of the kernel's BTF that do not affect it. Relocate does the reverse, as the kernel does when it loads a
// module. Never: neither changes its arguments, merges types or reads ELF.
//
// Byte order: results have the order of their arguments.
//
// Errors: ErrNoBase for BTF that is not split. Relocate says which type of the distilled base has no match in the whole one.
//
// Stability: see package encoder.
package distill
