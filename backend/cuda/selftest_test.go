package cuda

import (
	"strings"
	"testing"

	"github.com/weft-llm/weft/driver/drivertest"
)

// TestSelfTest_FailsWhereKernelsDoNothing runs it on a fake GPU, whose kernels leave memory as it is: every check of a
// kernel's output has to notice.
func TestSelfTest_FailsWhereKernelsDoNothing(t *testing.T) {
	onThread(t)
	fake := drivertest.New(drivertest.Config{})
	lib, err := fake.Library()
	if err != nil {
		t.Fatal(err)
	}
	b, err := OpenWith(lib, 0, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range b.SelfTest() {
		want := !strings.HasSuffix(c.Name, ": giving back the choice")
		if (c.Err != nil) != want {
			t.Errorf("%s: error %v, want one: %v", c.Name, c.Err, want)
		}
	}
	if err := b.Close(); err != nil {
		t.Errorf("Close() = %v", err)
	}
	fake.Check(t)
}
