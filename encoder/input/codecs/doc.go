// Package codecs registers the codecs of compressed files and sections. Programs that read compressed images import it for its effect:
//
//	import _ "github.com/btfbatch/btfbatch/encoder/input/codecs"
//
// The libraries take longer to initialise than a small module takes to encode. A program that reads no compressed files does without.
//
// Input: compressed data. Output: its contents, and the other way round. Never: the package opens no file.
//
// Errors: those of the libraries. Without this package, the error is input.ErrNoCodec.
//
// Stability: see package encoder.
package codecs
