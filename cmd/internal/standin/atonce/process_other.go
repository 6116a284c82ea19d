//go:build !linux || !(amd64 || arm64)

package atonce

import "os"

func arguments() []string { return os.Args }

// write writes a text to the standard output. It reports whether it wrote all of it.
func write(text string) bool {
	_, err := os.Stdout.WriteString(text)
	return err == nil
}

func exit() { os.Exit(0) }

func separates(c byte) bool { return os.IsPathSeparator(c) }
