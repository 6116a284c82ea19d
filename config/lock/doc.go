// Package lock reads and writes the lock of a manifest: the file that says what every source, glob and matrix of the manifest stood for when
// it was locked.
//
// Input: the text of a lock, or what was found out about the images of a manifest. Output: a File with its images in the order of their
// names, or the one text that stands for it; and the differences between two of them. Never: the package opens no file, knows nothing about
// the manifest except names, and stores no time, host name or absolute path.
package lock
