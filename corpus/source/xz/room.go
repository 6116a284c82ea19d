package xz

import "sync/atomic"

// A Room bounds the memory of decoded blocks that views keep, in place of files that they would copy them to. Several decoders can share it. It is safe
// for concurrent use. A nil Room has no memory.
type Room struct{ left atomic.Int64 }

// NewRoom returns a room of the given number of bytes.
func NewRoom(bytes int64) *Room {
	r := new(Room)
	r.left.Store(bytes)
	return r
}

// take reserves memory, if there is enough.
func (r *Room) take(n int64) bool {
	if r == nil {
		return false
	}
	if r.left.Add(-n) >= 0 {
		return true
	}
	r.left.Add(n)
	return false
}

func (r *Room) give(n int64) { r.left.Add(n) }

// leastMapped is the size in bytes from which the memory of a block is not part of the heap. The collector would let the heap grow by a share of
// it, and this memory is freed at a known time.
const leastMapped = 1 << 20

// newBuffer returns memory for a block. What is not written to takes no memory.
func newBuffer(size int64) []byte {
	if size >= leastMapped {
		if b := mapMemory(int(size)); b != nil {
			return b
		}
	}
	return make([]byte, size)
}

// freeBuffer frees what newBuffer returned, or nil. Nobody may use it any more.
func freeBuffer(b []byte) {
	if b = b[:cap(b)]; len(b) >= leastMapped {
		unmapMemory(b)
	}
}

// same reports whether two buffers are one.
func same(a, b []byte) bool { return cap(a) > 0 && cap(b) > 0 && &a[:1][0] == &b[:1][0] }
