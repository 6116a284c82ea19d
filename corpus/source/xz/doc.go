// Package xz decodes xz streams block by block.
//
// Input: a stream that can be read at any offset, or in order. Output: its contents, at any position where blocks are independent. Blocks are
// decoded in parallel, each at most once at a time, and only as far as something of them is read. Never: the package decodes a block that is
// larger than MaxBlock as a whole, and trusts no stated size before it has compared it with the stored data.
//
// Errors about the format are *FormatError.
package xz

import "fmt"

// A FormatError says where a stream violates its format.
type FormatError struct {
	Offset  int64 // in bytes, in what the stream is read from
	Problem string
}

func (e *FormatError) Error() string { return fmt.Sprintf("offset 0x%x: %s", e.Offset, e.Problem) }

// damage returns an error at an offset.
func damage(off int64, format string, args ...any) error {
	return &FormatError{off, fmt.Sprintf(format, args...)}
}
