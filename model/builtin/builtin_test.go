package builtin

import (
	"slices"
	"testing"

	"github.com/weft-llm/weft/model"
)

func TestOpen_GivesAModelThatEveryKernelTakes(t *testing.T) {
	c, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if why := model.Refusals(c); len(why) > 0 {
		t.Errorf("Refusals() = %q, want none", why)
	}
	if c.Config.Arch != "Qwen3ForCausalLM" || c.Config.HeadDim != 64 || c.Config.Hidden%64 != 0 || !c.Config.TieEmbeddings {
		t.Errorf("Config = %s, head dim %d, hidden %d, tied %v; want Qwen3ForCausalLM, 64, a multiple of 64, true",
			c.Config.Arch, c.Config.HeadDim, c.Config.Hidden, c.Config.TieEmbeddings)
	}
	if c.ChatTemplate == "" || c.Metadata["tokenizer.ggml.tokens"] == nil || len(c.Config.EOS) == 0 {
		t.Errorf("template %d bytes, end tokens %v; want a template, a tokenizer and an end", len(c.ChatTemplate), c.Config.EOS)
	}
	for _, x := range c.Tensors() {
		if !slices.Contains([]string{"Q8_0", "F32"}, x.TypeName) {
			t.Errorf("%s has type %s, want Q8_0 or F32", x.FileName, x.TypeName)
		}
	}
}

func TestFile_IsAtMost9MB(t *testing.T) {
	if n := len(file); n > 9_000_000 {
		t.Errorf("the file has %d bytes, want at most 9000000", n)
	}
}
