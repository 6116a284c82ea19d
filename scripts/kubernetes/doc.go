// Package kubernetes holds a test of the Jobs that btfbatch submit renders for Kubernetes. It is a module of its own, so that the API types
// are no dependency of btfbatch.
package kubernetes
