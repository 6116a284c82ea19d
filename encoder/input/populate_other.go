//go:build unix && !linux

package input

// mapPopulated is nothing on these systems.
const mapPopulated = 0
