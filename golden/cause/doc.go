// Package cause compares two BTF objects declaration by declaration, and tells what changed by itself from what only followed.
//
// Input: two objects (btf.Object), each with its base if it continues one. Output: a Comparison, which is plain data: causes with their
// own changes, consequences with what explains them. Never: the package does not read files, does not print, and does not say whether a
// difference is right.
package cause
