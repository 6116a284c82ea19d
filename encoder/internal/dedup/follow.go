package dedup

import "github.com/btfbatch/btfbatch/encoder/btf"

// Functions and their prototypes are appended after phase 4. Phase 5 processes them part by part while others are appended, or all at the end.

// Follow runs phase 5 for the types that were appended to the object since New, or since the last Follow. o is a copy of the object as it was when a
// part of what is appended was complete: all types to which these types refer were there. More may be appended to the object itself meanwhile. Call it
// after References, and not if the object has a base. What it leaves out is left to Finish, and so are errors.
func (m *Merger) Follow(o *btf.Object) {
	e := &m.e
	if m.err != nil || m.next != e.end {
		return
	}
	if m.err = e.extend(o); m.err == nil {
		m.err = m.references(m.next)
	}
}

// references runs phase 5 for all types that it has not processed. Types from appended on are functions and their prototypes, nearly all.
func (m *Merger) references(appended uint32) error {
	e := &m.e
	for ; m.next < e.end; m.next++ {
		if m.next >= appended && (m.next-appended)%atOnce == 0 {
			e.prefetch(m.next, min(m.next+atOnce, e.end))
		}
		_, err := e.reference(m.next)
		if err == nil {
			err = e.pause()
		}
		if err != nil {
			m.next++ // it is named by located
			return err
		}
	}
	return nil
}

// atOnce is the number of types that are prefetched together: few enough that they stay in the cache.
const atOnce = 128

// prefetch reads the memory that reference needs first for some types (see btf/memory.go): the slots of their signatures, and with a base also the
// first candidates in it. On the way it replaces the references of types whose referents have been processed. Other types are left out.
func (e *engine) prefetch(from, to uint32) {
	sum := uint32(0)
	var lists [atOnce]*list
	n := 0
	for id := from; id < to; id++ {
		if e.m[id] != unset {
			continue
		}
		r := e.rec(id)
		switch k := r.Kind(); {
		case k == btf.KindFunc:
		case k == btf.KindFuncProto || e.c.base != nil && walked.Has(k):
			if !e.resolve(r) {
				continue
			}
		default:
			continue
		}
		sig := e.signature(r)
		if e.c.base == nil {
			sum ^= e.c.prefetch(sig)
			continue
		}
		lists[n] = e.c.base.first(sig)
		n++
	}
	for _, l := range lists[:n] {
		sum ^= l.head
	}
	for _, l := range lists[:n] {
		if l.head != 0 {
			sum ^= e.rec(l.head)[0]
		}
	}
	e.prefetched = sum
}

// resolve rewrites the references of a type in walked if all its referents have been processed. Otherwise ok is false.
func (e *engine) resolve(r btf.Record) (ok bool) {
	switch r.Kind() {
	case btf.KindArray:
		ok = e.processed(r[3]) && e.processed(r[4])
	case btf.KindFuncProto:
		ok = e.processed(r[2])
		for i := 4; i < len(r); i += 2 {
			ok = ok && e.processed(r[i])
		}
	default:
		ok = e.processed(r[2])
	}
	return ok && e.referents(r) == nil
}
