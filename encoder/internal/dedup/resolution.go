package dedup

// Nearly all types of a base replace themselves, whatever the object has. The map is not read for these, since the pages of it that are never
// read cost nothing.

// canon follows the resolution map to its end, which may be a type that has not been processed yet.
func (e *engine) canon(id uint32) uint32 {
	for {
		if e.fixed(id) {
			return id
		}
		next := e.m[id]
		if next >= busy || next == id || next == itself {
			return id
		}
		id = next
	}
}

// processed reports whether a type has been processed. Those of the base have.
func (e *engine) processed(id uint32) bool { return id < e.first || e.m[id] < busy }

// survives reports whether a type is not replaced by another.
func (e *engine) survives(id uint32) bool {
	return e.fixed(id) || e.m[id] == id || e.m[id] == itself
}

// fixed reports whether a type is one of the base, and no type of the base is replaced.
func (e *engine) fixed(id uint32) bool { return id < e.first && !e.moved }
