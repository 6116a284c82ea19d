package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/corpus/cache"
	"github.com/btfbatch/btfbatch/corpus/source/http"
)

func newCache() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cache",
		Short: "Look after the results that run keeps",
		Long: `Look after the results that run keeps, so that it does not make unchanged images again.

The cache is the folder $BTFBATCH_CACHE, by default btfbatch in the user's cache folder. Several runs may use it at once. It may be removed
at any time: what is missing is made again. Nothing is taken from it without comparing its digest. It grows until gc is run.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newCacheInfo(), newCacheGC(), newCacheVerify())
	return cmd
}

// openCache opens the cache of a command that is about nothing else.
func openCache() (*cache.Cache, error) {
	folder, err := cache.Folder()
	if err != nil {
		return nil, failed(err)
	}
	c, err := cache.Open(folder)
	return c, failed(err)
}

func newCacheInfo() *cobra.Command {
	return &cobra.Command{
		Use:   "info",
		Short: "Show what is in the cache",
		Long: `Show what is in the cache: results; blobs, which are the outputs of results; files outside the cache whose digests are known, which
saves reading them again; and the size of all of this in bytes. "used A to B": every result was used since A, and one of them at B.

    folder   /home/user/.cache/btfbatch/results/1
    results  24
    blobs    24 (0 without a result)
    files    24 whose digests are known
    bytes    1423872
    used     2026-11-28T08:15:02Z to 2026-11-30T16:40:11Z`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := openCache()
			if err != nil {
				return err
			}
			i, err := c.Info()
			if err != nil {
				return failed(err)
			}
			text := fmt.Sprintf("folder   %s\nresults  %d\nblobs    %d (%d without a result)\nfiles    %d whose digests are known\nbytes    %d\n",
				c.Dir(), i.Results, i.Blobs, i.Unreachable, i.Files, i.Bytes)
			if i.Results > 0 {
				text += fmt.Sprintf("used     %s to %s\n", i.Oldest.UTC().Format(time.RFC3339), i.LastUsed.UTC().Format(time.RFC3339))
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), text)
			return failed(err)
		},
	}
}

func newCacheGC() *cobra.Command {
	var most string
	cmd := &cobra.Command{
		Use:   "gc",
		Short: "Make the cache smaller",
		Long: `Remove results, those that were not used for the longest time first, until the cache has at most the given size. Outputs that belong to no
result and files of killed runs are removed too, and so are downloads that were not completed and that no run has used for an hour; with
--max-size 0, all that no run is fetching.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			n, err := byteCount(most)
			if err != nil {
				return usage(fmt.Errorf("--max-size: %w", err))
			}
			parts, freedParts, err := removeParts(n) // first: a full disk has room for the rest then
			if err != nil {
				return failed(err)
			}
			c, err := openCache()
			if err != nil {
				return err
			}
			results, freed, err := c.GC(n)
			if err != nil {
				return failed(err)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "removed %d results, %d partial downloads, %d bytes\n", results, parts, freed+freedParts)
			return failed(err)
		},
	}
	cmd.Flags().StringVar(&most, "max-size", "10GiB", "`SIZE` of the results in the cache, without its folder downloads, which every run keeps below 16 GiB: bytes, or with KiB, MiB, GiB or TiB")
	return cmd
}

// removeParts removes partial downloads that no run needs. most is the size that the cache may have.
func removeParts(most int64) (n int, freed int64, err error) {
	dir, err := http.Folder()
	if err != nil {
		return 0, 0, err
	}
	idle := time.Hour
	if most == 0 {
		idle = 0
	}
	return http.RemoveParts(dir, idle)
}

func newCacheVerify() *cobra.Command {
	return &cobra.Command{
		Use:   "verify",
		Short: "Read the whole cache, and remove what is damaged",
		Long: `Read the whole cache, compare it with its digests, and remove what is damaged. What is removed is listed, and the exit code is 1; it is made again
when it is needed.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := openCache()
			if err != nil {
				return err
			}
			n, bad, err := c.Verify()
			if err != nil {
				return failed(err)
			}
			var text strings.Builder
			for _, path := range bad {
				fmt.Fprintf(&text, "damaged, removed: %s\n", path)
			}
			fmt.Fprintf(&text, "%d files, %d damaged\n", n, len(bad))
			if _, err = fmt.Fprint(cmd.OutOrStdout(), text.String()); err != nil {
				return failed(err)
			}
			if len(bad) > 0 {
				return failed(fmt.Errorf("%d files of the cache were damaged", len(bad)))
			}
			return nil
		},
	}
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
