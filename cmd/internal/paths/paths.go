// Package paths finds out which files paths mean, and what the files of one run have against each other.
//
// In come paths, and what a run does with each; out come the conflicts. It looks at names and never opens a file.
package paths
