// Package kernel names the generations of Linux kernels that check BTF alike, and finds the one that a release belongs to.
//
// Input: a version as users write it, such as 6.1, v6.8 or 5.10.0-28-amd64. Output: the name of a generation, and a note if it is not
// the version that was given. Never: the package does not look at the running kernel, and knows no kernel's rules.
//
// Errors: a text that stands for no generation is an *UnknownError.
//
// Stability: see package encoder.
package kernel
