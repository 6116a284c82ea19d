package funcs

// ambiguous is rule 02/5.1: the values of one base name are compared each with the one before, and a previous value of 0
// counts as unset.
func ambiguous(syms []symbol) bool {
	prev := uint64(0)
	for _, s := range syms {
		if prev != 0 && s.value != prev {
			return true
		}
		prev = s.value
	}
	return false
}

// lastNeverAmbiguous is rule 02/5.1: the mark is set when the next base name is reached, so the last one never gets it.
func lastNeverAmbiguous(entries []entry) {
	if n := len(entries); n > 0 {
		entries[n-1].ambiguous = false
	}
}

// maxName is rule 02/4.6: longer parameter names and tags of functions are cut.
const maxName = 127
