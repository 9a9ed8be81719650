package backendtest

import "testing"

func testTypes(t *testing.T, o Open) {}
