package main

import (
	"errors"

	"github.com/spf13/pflag"
)

// A size is a flag with a number of bytes, such as 2GiB.
type size struct {
	bytes *int64
	text  string
}

// memoryFlag adds the flag for the memory of the images that are encoded at once. Its default is batch.DefaultMemory.
func memoryFlag(flags *pflag.FlagSet, bytes *int64) {
	flags.Var(&size{bytes, "2GiB"}, "memory", "encode as many images at once as fit into `SIZE` by their predicted memory: bytes, or with KiB, MiB,\nGiB or TiB; an image that needs more is encoded alone")
}

// diskFlag adds the flag for the disk space of the images that are in work at once. Its default is batch.DefaultDisk.
func diskFlag(flags *pflag.FlagSet, bytes *int64) {
	flags.Var(&size{bytes, "20GiB"}, "disk", "work on as many images at once as fit into `SIZE` by the disk space that they need until they are done\n(what is fetched and unpacked, and outputs): bytes, or with KiB, MiB, GiB or TiB; an image that needs more is encoded alone")
}

// String returns the text of the flag.
func (s *size) String() string { return s.text }

// Type returns the name of the value.
func (*size) Type() string { return "SIZE" }

// Set reads the value.
func (s *size) Set(text string) error {
	n, err := byteCount(text)
	if err == nil && n == 0 {
		err = errors.New("no image fits into 0 bytes")
	}
	if err != nil {
		return err
	}
	*s.bytes, s.text = n, text
	return nil
}
