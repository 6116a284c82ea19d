// Package verify checks finished BTF as the Linux kernel does, and explains in plain words what the kernel would refuse.
//
// Input: the bytes of a .BTF section, a kernel generation, and the path by which the bytes reach that kernel. Output: nil, or a Refusal
// with the kernel's own log line, the type at fault and an explanation. Lint adds warnings that no kernel gives but that matter to a
// publisher. The package follows chapter 05 of docs/rules.md. It reads the raw bytes itself, because it also checks blobs that package btf
// would not accept. Never: it does not change or repair a blob, and does not depend on the machine that it runs on.
//
// Check the BTF that package encoder made for an image f, as a kernel 6.1 would:
//
//	err := verify.Check(sections.BTF, verify.Options{
//		Kernel: verify.V6_1, Path: verify.Vmlinux, Order: f.Order, PtrSize: f.AddrSize(),
//	})
//
// The checks run in the kernel's order and stop at the first failure. So for a blob with two defects, the package and the kernel report the
// same one. Time and memory grow with the size of the blob, whatever it contains.
//
// Byte order: that of Options.Order; a kernel accepts no other. Offsets are in bytes, from the start of the blob.
//
// Errors: Check returns a *Refusal if the kernel refuses the blob, ErrNoPath if the kernel has no such path for BTF, and another error if
// the options are invalid, such as a module without a base.
//
// Stability: see package encoder.
package verify
