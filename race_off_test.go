//go:build !race

package weft_test

const raced = false
