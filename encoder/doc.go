// Package encoder turns the DWARF of an ELF image, such as a Linux kernel or module, into BTF.
//
// Input: an open image (package elf) and Options. Output: a Result with deduplicated types, counts of what was encoded and left out,
// and warnings. Never: the package writes no files, reads no manifest, and runs no other program. Apart from the image it opens only the
// files that hold the image's debug information, if that is kept elsewhere.
//
// The shortest way to get the BTF of a kernel:
//
//	f, err := elf.Open("vmlinux")
//	...
//	defer f.Close()
//	res, err := encoder.Encode(ctx, f, encoder.Options{})
//	...
//	wire := res.Object.AppendWire(nil) // the contents of /sys/kernel/btf/vmlinux
//
// To embed it into a copy of the image:
//
//	sections, err := res.Sections()
//	...
//	sections, err = sections.For(f) // pads to the size that the linker reserved
//	...
//	err = f.Embed(sections.List(), elf.NewCopy("vmlinux.new"))
//
// Encode takes only options. An Encoder also has the base of a module (Base), hooks that are called with each decision (Hooks), and the
// number of workers. Result.Sections returns the bytes for the sections .BTF and .BTF.base, and elf.File.Embed puts them into a copy of the
// image. Package verify reports whether a kernel would accept them.
//
// Options are data. Equal options, with the same image, base and debug files, give equal bytes, on every machine and for any number of
// workers. Options.Key returns them as a string, for caches.
//
// Byte order: the BTF has that of the image. Offsets and sizes are in bytes.
//
// Errors: the variables, such as ErrNoDWARF, are for errors.Is. An error about a place in the DWARF is a *UnitError, one about a place in
// the image an *elf.FormatError, for errors.As. For a damaged or hostile image the package returns an error. Memory and time stay in
// proportion to the size of the image.
//
// Stability: this is version 0 of the module. Until 1.0, names and signatures of package encoder and those below it may change between minor
// versions. The bytes of the profile Pahole are those of pahole 1.32 in all versions. The bytes of the profile Default, texts of
// errors and warnings, Stats, Phases, and the form of Options.Key may change between minor versions.
package encoder
