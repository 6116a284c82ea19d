// Package feature names the optional parts of BTF, by the names that pahole 1.32 gives them.
//
// Input: the names that a user wrote. Output: a Set. Never: the package does not implement a feature. The packages that emit types
// query the Set.
//
// Errors: an unknown name is an *UnknownError.
//
// Stability: see package encoder.
package feature
