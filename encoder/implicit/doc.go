// Package implicit gives kernel functions with implicit arguments the two prototypes that kernels from 7.0 on show.
//
// A kfunc is a kernel function that BPF programs may call. Some kfuncs have trailing parameters that the BPF verifier fills in. The flag
// KF_IMPLICIT_ARGS in their set of .BTF_ids says so. The kernel's build rewrites the BTF for them, after the encoder and before the sort by
// name: FUNC NAME loses the implicit parameters, because programs call it without them, and FUNC NAME_impl keeps the whole prototype.
//
// Input: a BTF object and the flagged names. Output: the same object with changed and added types. Never: types removed or renumbered.
//
// The rules are those of the kernel's build tool, resolve_btfids of Linux 7.2.
//
// Byte order: that of the object. There are no errors. A function whose prototype is not known stays unchanged.
//
// Stability: see package encoder.
package implicit
