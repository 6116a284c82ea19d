// Package input opens the files that commands are given, and says what they are.
//
// Input: a path, "-" for the standard input included. Output: the contents, decompressed where they are compressed, and their kind, which
// is told by the contents and never by the name; or an error that says what the file is and what to do about it. The way back is
// NewWriter, which compresses what is written as the name of the file says. Never: the package interprets nothing behind the magic
// numbers, and trusts no size that a file states.
//
// Errors: a *KindError says what a file is and what was wanted, a *ModeError that a path leads to a folder, socket or device. ErrChanged
// says that a file was written to while it was read.
//
// Stability: see package encoder.
package input
