package cuda

import (
	"fmt"
	"testing"

	"github.com/weft-llm/weft/driver/drivertest"
)

func TestSimulated_SelfTest(t *testing.T) {
	for _, major := range []int{8, 9} {
		t.Run(fmt.Sprintf("sm_%d0", major), func(t *testing.T) {
			onThread(t)
			fake := drivertest.New(drivertest.Config{Major: major, Run: true})
			lib, err := fake.Library()
			if err != nil {
				t.Fatal(err)
			}
			b, err := OpenWith(lib, 0, Options{})
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range b.SelfTest() {
				t.Logf("%s: %v", c.Name, c.Err)
				if c.Err != nil {
					t.Errorf("%s: %v", c.Name, c.Err)
				}
			}
			if err := b.Close(); err != nil {
				t.Errorf("Close() = %v", err)
			}
			fake.Check(t)
		})
	}
}
