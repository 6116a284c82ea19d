// Package verify checks finished BTF as the Linux kernel does, and says in plain words what the kernel would not like.
//
// Input: the bytes of a .BTF section, a kernel generation, and the path by which the bytes reach that kernel. Output: nil, or a Refusal
// with the kernel's own log line, the type at fault and an explanation. Lint adds warnings that no kernel gives but that matter to a
// publisher. The package follows chapter 05 of docs/rules.md. It reads the raw bytes itself, because it also checks blobs that package btf
// would not accept. Never: it does not change or repair a blob, and does not depend on the machine that it runs on.
//
// The BTF of an image f that package encoder made, as a kernel 6.1 would see it:
//
//	err := verify.Check(sections.BTF, verify.Options{
//		Kernel: verify.V6_1, Path: verify.Vmlinux, Order: f.Order, PtrSize: f.AddrSize(),
//	})
//
// The order of the checks is the kernel's: the first failure ends the verification, so a blob with two defects shows the
// same one here and there. Time and memory grow with the size of the blob, whatever it contains.
//
// Byte order: that of Options.Order; a kernel takes no other. Offsets are in bytes, from the start of the blob.
//
// Errors: Check returns a *Refusal for what the kernel refuses, ErrNoPath where the kernel does not know such BTF at all, and another
// error for a question that makes no sense, such as a module without a base.
//
// Stability: see package encoder.
package verify
