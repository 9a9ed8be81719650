//go:build !race

package drivertest

const raceOn = false
