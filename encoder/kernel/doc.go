// Package kernel names the generations of Linux kernels, which are groups of kernels with the same BTF checks, and finds the generation of a
// release.
//
// Input: a version as users write it, such as 6.1, v6.8 or 5.10.0-28-amd64. Output: the name of a generation, and a note if it is not
// the version that was given. Never: the package does not look at the running kernel, and does not contain the checks.
//
// Errors: a text that belongs to no generation gives an *UnknownError.
//
// Stability: see package encoder.
package kernel
