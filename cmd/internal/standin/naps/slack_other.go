//go:build !linux

package naps

func setSlack(uintptr) {}
