//go:build !amd64

package cpu

// spin does nothing: the call itself takes a moment.
func spin() {}
