package pahole

import "github.com/btfbatch/btfbatch/encoder/funcs"

// peerReason is rule 02/5.5: what is inconsistent is spelled otherwise.
func peerReason(r funcs.Reason) string {
	if r == funcs.InconsistentPrototype {
		return "inconsistet prototype"
	}
	return r.String()
}

// ignoredSet tells whether a set of features, which counts, is told to be ignored all the same: as an element of a list, or
// behind a plus (rule 02/3).
func ignoredSet(name, list string) bool {
	return (name == "default" || name == "all") && name != list
}
