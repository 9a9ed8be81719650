package backendtest

import "testing"

func testSampling(t *testing.T, o Open) {}
func testStep(t *testing.T, o Open)     {}
