package pahole

import (
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// peerReason is rule 02/5.5: what is inconsistent is spelled otherwise.
func (s *commandLine) peerReason(r encoder.FuncReason) string {
	if r == encoder.FuncInconsistentPrototype && s.peer.Has(rules.PeerReason) {
		return "inconsistet prototype"
	}
	return r.String()
}

// ignoredSet is rule 02/3: a set of features that counts is told to be ignored all the same, as an element of a list, or behind a plus.
func (s *commandLine) ignoredSet(name, list string) bool {
	return s.peer.Has(rules.IgnoredSet) && (name == "default" || name == "all") && name != list
}
