// Package cause compares two BTF objects declaration by declaration, and separates the changes that were made from the changes that only
// follow from them.
//
// Input: two BTF objects (btf.Object), each with its base if it has one. Output: a Comparison, which is plain data: causes with their own
// changes, consequences with the causes that explain them. Never: the package does not read files, does not print, and does not judge
// whether a difference is right.
package cause
