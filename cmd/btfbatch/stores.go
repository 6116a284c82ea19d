package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/batch"
	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/corpus/store"
	"github.com/btfbatch/btfbatch/corpus/store/address"
	"github.com/btfbatch/btfbatch/corpus/store/folder"
	"github.com/btfbatch/btfbatch/corpus/store/oci"
	"github.com/btfbatch/btfbatch/corpus/store/s3"
)

// stores opens the stores that a run publishes in, each once.
type stores struct {
	client *store.Client
	mu     sync.Mutex
	open   map[address.Address]store.Publisher
}

// newStores returns the stores of a run.
func newStores(a *app) *stores {
	return &stores{open: map[address.Address]store.Publisher{}, client: storeClient(a)}
}

// storeClient returns what sends requests to stores.
func storeClient(a *app) *store.Client {
	return &store.Client{Agent: agent(), Notice: func(text string) { a.console.Note(text) }}
}

// publish is a batch.Publishing.
func (s *stores) publish(ctx context.Context, to config.Publish, a *store.Artifact) (store.Receipt, error) {
	at, err := to.Address()
	if err != nil {
		return store.Receipt{}, err
	}
	p, err := s.at(at)
	if err != nil {
		return store.Receipt{}, fmt.Errorf("%s: %w", at, err)
	}
	return p.Publish(ctx, a, to.Replace)
}

// at opens a store.
func (s *stores) at(a address.Address) (store.Publisher, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.open[a]
	if p != nil {
		return p, nil
	}
	switch a.Scheme {
	case address.Registry:
		p = oci.New(a, s.client, os.LookupEnv)
	case address.Bucket:
		b, err := s3.New(a, s.client, os.LookupEnv)
		if err != nil {
			return nil, err
		}
		p = store.InObjects{Objects: b}
	default:
		p = store.InObjects{Objects: folder.New(a)}
	}
	s.open[a] = p
	return p, nil
}

// publishing says whether a run publishes.
type publishing struct{ on bool }

func (p *publishing) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&p.on, "publish", false, "publish outputs where publish in the manifest says")
}

// set sets what publishes the outputs of a run, if that is wanted. published is the number of images in the whole manifest that are published:
// a shard may have none of them.
func (p *publishing) set(a *app, opt *batch.Options, items []corpus.Item, published int) error {
	switch {
	case !p.on && batch.Published(items) > 0:
		a.console.Note("nothing is published in stores without --publish")
	case p.on && published == 0:
		return errors.New("--publish: no image has publish in the manifest")
	case p.on:
		opt.Publish = newStores(a).publish
	}
	return nil
}
