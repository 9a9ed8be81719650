//go:build race

package weft_test

// raced: the race detector's own memory grows with every goroutine.
const raced = true
