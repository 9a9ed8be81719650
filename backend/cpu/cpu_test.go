package cpu

import (
	"testing"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/backend/backendtest"
)

func TestCPU(t *testing.T) {
	backendtest.Run(t, func(*testing.T) backend.Backend { return New(Options{}) })
}
