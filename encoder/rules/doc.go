// Package rules names the rules of pahole that the profile default does not follow, one bit for each.
//
// Input: a profile. Output: a Set, which is in the options of every package of the encoder; code in a file peer.go asks it whether a rule
// applies. The profile pahole is all rules, the profile default a few of them. Tests leave one rule out (encoder.Options.RulesOff), and
// its fixture must show the difference. Never: the package implements no rule. docs/rules.md explains the rules.
//
// Stability: bits have no fixed numbers, so do not store them. Rules come and go with what is known of pahole 1.32.
package rules
