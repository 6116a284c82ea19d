package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// The kernel's code refers to types by ids that its build wrote to .BTF_ids (rule 06/A.1). With other BTF, each id must be replaced by
// that of the type with the same kind and name. The names of symbols cannot be used, because the build sorted the sets but not the
// symbols. So every id is looked up in the old BTF, and sets are sorted again.

// A named type identifies the type of an id independent of the BTF.
type named struct {
	kind btf.Kind
	name string
}

// translate rewrites all ids. A zero stands for a name that the build did not find, and stays.
func (k *kernel) translate(was, now *btf.Object, done *injection) error {
	first := map[named]btf.ID{}
	for id, r := range now.All() {
		n := named{r.Kind(), now.Name(r.Name())}
		if _, ok := first[n]; !ok {
			first[n] = id
		}
	}
	le := binary.LittleEndian
	var sets []uint64
	pairs := map[uint64]bool{}
	for _, s := range k.idSymbols {
		at, name := s.Value-k.idsAddr, s.Name[len(idPrefix):]
		if at > uint64(len(k.ids)) || uint64(len(k.ids))-at < 4 {
			return fmt.Errorf("symbol %s is outside .BTF_ids", s.Name)
		}
		if strings.HasPrefix(name, "set8__") || strings.HasPrefix(name, "set__") {
			sets = append(sets, at)
			pairs[at] = strings.HasPrefix(name, "set8__")
			continue
		}
		old := btf.ID(le.Uint32(k.ids[at:]))
		if old == 0 {
			continue
		}
		r, ok := was.Record(old)
		if !ok {
			return fmt.Errorf("symbol %s has the id %d, which is not in the kernel's BTF", s.Name, old)
		}
		n := named{r.Kind(), was.Name(r.Name())}
		id, ok := first[n]
		if !ok {
			done.missing = append(done.missing, n.kind.String()+" "+n.name)
		}
		le.PutUint32(k.ids[at:], uint32(id))
		done.ids++
	}
	for _, at := range sets {
		if err := sortSet(k.ids[at:], pairs[at]); err != nil {
			return fmt.Errorf(".BTF_ids+%#x: %w", at, err)
		}
	}
	done.sets = len(sets)
	slices.Sort(done.missing)
	return nil
}

// sortSet sorts a set by id. A set of pairs has flags after the count and after every id.
func sortSet(b []byte, pairs bool) error {
	head, size := 4, 4
	if pairs {
		head, size = 8, 8
	}
	n := uint64(binary.LittleEndian.Uint32(b))
	if len(b) < head || n > uint64((len(b)-head)/size) {
		return fmt.Errorf("a set of %d ids reaches past the end of the section", n)
	}
	list := make([][]byte, n)
	for i := range list {
		list[i] = bytes.Clone(b[head+i*size:][:size])
	}
	slices.SortStableFunc(list, func(x, y []byte) int {
		return int(int64(binary.LittleEndian.Uint32(x)) - int64(binary.LittleEndian.Uint32(y)))
	})
	for i, e := range list {
		copy(b[head+i*size:], e)
	}
	return nil
}
