// Package elf maps an image: its header, sections (compressed or not, relocated where the file is relocatable) and symbols.
//
// Input: a file. Output: the bytes of sections, and flat symbol records. Never: the package does not interpret DWARF or BTF, and does
// not trust a size that the file states: every access is bounded by the file's length.
//
// Byte order: File.Order is that of the image. Sections, Symbols and Notes have numbers in the order of the machine; Data returns bytes
// as the image has them.
//
// Errors: what breaks the format is a *FormatError with the name of the section and the byte in it. An error of Open names no path. Embed
// returns ErrNoRoom for content that would have to move while a program header points to it. A file that is written to while it is read
// is input.ErrChanged.
//
// A File may be used by several goroutines at once. Slices that Data returns stay valid after Close.
//
// Stability: see package encoder.
package elf
