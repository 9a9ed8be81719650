// Package builtin holds weft-guide, the demo model that travels inside weft: a guide to weft that runs anywhere at
// once. tools/builtin makes the file; docs/BUILTIN-MODEL.md describes it.
package builtin

import (
	_ "embed"

	"github.com/weft-llm/weft/model/weights"
)

// Name is what the model is called.
const Name = "weft-guide"

//go:embed weft-guide.gguf
var file []byte

// Open opens the model by the path that every GGUF file takes. Nothing is copied.
func Open() (*weights.Checkpoint, error) { return weights.OpenBytes(Name+".gguf", file) }
