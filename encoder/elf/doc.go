// Package elf reads an image: its header, its sections (decompressed, and relocated if the file is relocatable) and its symbols. It also
// writes copies of an image with sections added or replaced.
//
// Input: a file. Output: the bytes of sections, and flat symbol records. Never: the package does not interpret DWARF or BTF, and does not
// trust a size that the file states: every access is bounded by the file's length.
//
// Byte order: File.Order is that of the image. The numbers in Sections, Symbols and Notes are in the order of the machine. Data returns
// bytes in the order of the image.
//
// Errors: a violation of the format is a *FormatError with the name of the section and the offset in it. An error of Open does not name the
// path. Embed returns ErrNoRoom if the content would have to move although a program header points to it. If a file is written to while it
// is read, the error is input.ErrChanged.
//
// A File may be used by several goroutines at once. Slices that Data returns stay valid after Close.
//
// Stability: see package encoder.
package elf
