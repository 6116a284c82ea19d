package pahole

import (
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// peerReason is rule 02/5.5: pahole misspells "inconsistent".
func (s *commandLine) peerReason(r encoder.FuncReason) string {
	if r == encoder.FuncInconsistentPrototype && s.peer.Has(rules.PeerReason) {
		return "inconsistet prototype"
	}
	return r.String()
}

// ignoredSet is rule 02/3: pahole prints that it ignores a set of features ("default", "all") if it is an element of a list or follows a
// plus, although it applies the set.
func (s *commandLine) ignoredSet(name, list string) bool {
	return s.peer.Has(rules.IgnoredSet) && (name == "default" || name == "all") && name != list
}
