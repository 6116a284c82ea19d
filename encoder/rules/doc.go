// Package rules names the rules of pahole that a profile can switch on or off, one bit for each.
//
// Input: a profile. Output: a Set, which is in the options of every package of the encoder. Code in a file peer.go checks the set to decide
// whether a rule applies. The profile pahole has all rules, the profile default a few of them. Tests switch one rule off
// (encoder.Options.RulesOff), and its fixture must show the difference. Never: the package implements no rule. docs/rules.md explains the
// rules.
//
// Stability: bits have no fixed numbers, so do not store them. Rules are added and removed as more is learned about pahole 1.32.
package rules
