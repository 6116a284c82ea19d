package main

import (
	"errors"
	"strconv"
	"strings"

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

// byteCount reads a number of bytes, such as 500MiB.
func byteCount(text string) (int64, error) {
	number, unit := text, int64(1)
	for i, name := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if n, ok := strings.CutSuffix(text, name); ok {
			number, unit = n, 1<<(10*(i+1))
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > (1<<62)/unit {
		return 0, errors.New(strconv.Quote(text) + " is not a size, such as 500MiB")
	}
	return n * unit, nil
}
