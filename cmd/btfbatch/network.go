package main

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/btfbatch/btfbatch/cmd/internal/console"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/corpus/source"
	"github.com/btfbatch/btfbatch/corpus/source/apt"
	"github.com/btfbatch/btfbatch/corpus/source/debuginfod"
	"github.com/btfbatch/btfbatch/corpus/source/http"
)

// consoleKey is the key of the console in the context of a command.
type consoleKey struct{}

// sources returns how images are found that are not files of their own. No file of a package may have more than the given number of MiB. Notes
// about downloads go to the console of the context.
func sources(ctx context.Context, most int) corpus.Sources {
	return sourcesOf(ctx, most, &http.Client{})
}

func sourcesOf(ctx context.Context, most int, client *http.Client) corpus.Sources {
	return corpus.Sources{Finders: findersOf(ctx, client), Limits: source.Limits{Most: int64(most) << 20, Scratch: source.DefaultScratch, Room: source.NewRoom(source.DefaultRoom)}}
}

// wholeFinders returns finders that fetch files as a whole, so that their digests are known.
func wholeFinders(ctx context.Context) source.Finders {
	return findersOf(ctx, &http.Client{Whole: true})
}

func findersOf(ctx context.Context, client *http.Client) source.Finders {
	voice, _ := ctx.Value(consoleKey{}).(*console.Console)
	note := func(text string) {
		if voice != nil {
			voice.Note(text)
		}
	}
	steps := downloads{note: note, quarters: map[string]int64{}}
	client.Agent, client.Progress = agent(), steps.progress
	client.Notice = func(url, text string) { note(http.Redacted(url) + ": " + text) }
	return source.Finders{URL: client, Apt: &apt.Finder{Client: client, Notice: note}, Debuginfod: &debuginfod.Finder{Client: client}}
}

// agent returns the User-Agent of requests.
func agent() string { return "btfbatch/" + strings.Trim(thisBuild().version, "()") }

// downloads writes a line for each quarter of a large file that was fetched.
type downloads struct {
	note     func(text string)
	mu       sync.Mutex
	quarters map[string]int64 // by URL: quarters that were reported
}

const large = 32 << 20 // bytes of a download that takes long enough to say so

func (d *downloads) progress(p http.Progress) {
	if p.Size < large {
		return
	}
	quarter := p.Have * 4 / p.Size
	d.mu.Lock()
	news := quarter > d.quarters[p.URL]
	if news {
		d.quarters[p.URL] = quarter
	}
	d.mu.Unlock()
	if news {
		d.note(fmt.Sprintf("%s: %d of %d MiB", http.Redacted(p.URL), p.Have>>20, p.Size>>20))
	}
}
