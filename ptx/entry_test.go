package ptx

import (
	"fmt"
	"io/fs"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/weft-llm/weft/tensor"
)

var (
	entryList = regexp.MustCompile(`(?s)\.visible \.entry (\w+)\(\s*(.*?)\)`)
	parameter = regexp.MustCompile(`\.param (?:\.align (\d+) )?\.(\w+) \w+(?:\[(\d+)\])?`)
)

// TestEntries_HaveTheParametersThatLaunchersPass compares each .entry of the embedded PTX with the struct that its
// launcher passes: nothing else would notice a mismatch before the kernel reads garbage.
func TestEntries_HaveTheParametersThatLaunchersPass(t *testing.T) {
	compiled := map[string]string{} // "file:entry" to its parameters
	err := fs.WalkDir(gen, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".ptx") {
			return err
		}
		text, err := gen.ReadFile(path)
		for _, m := range entryList.FindAllStringSubmatch(string(text), -1) {
			compiled[path+":"+m[1]] = compiledParameters(m[2])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range newKernels().entries {
		files := []string{e.file}
		if half := e.module(tensor.F16); half != e.file && !strings.HasSuffix(e.file, "_sm90") {
			files = append(files, half)
		}
		for _, file := range files {
			key := path(file) + ":" + e.name
			if want, ok := compiled[key]; !ok {
				t.Errorf("%s is declared and not compiled", key)
			} else if got := declaredParameters(t, e.args); got != want {
				t.Errorf("%s takes\n\t%s\nbut %s passes\n\t%s", key, want, e.args, got)
			}
			delete(compiled, key)
		}
	}
	for key := range compiled {
		t.Errorf("%s is compiled and not declared", key)
	}
}

// compiledParameters gives "kind@offset" of each parameter, laid out as PTX does.
func compiledParameters(list string) string {
	var out []string
	offset := 0
	for _, m := range parameter.FindAllStringSubmatch(list, -1) {
		kind, size := m[2], 0
		bits, _ := strconv.Atoi(strings.TrimLeft(kind, "busf"))
		size = bits / 8
		align := size
		if m[3] != "" { // a struct by value: .align 8 .b8 x[24]
			size, _ = strconv.Atoi(m[3])
			align, _ = strconv.Atoi(m[1])
			kind = fmt.Sprintf("bytes%d", size)
		}
		offset = roundUp(offset, align)
		out = append(out, fmt.Sprintf("%s@%d", kind, offset))
		offset += size
	}
	return strings.Join(out, " ")
}

func declaredParameters(t *testing.T, a reflect.Type) string {
	var out []string
	for _, f := range parameters(a) {
		if f.Name == "_" {
			continue // padding before a parameter that is aligned more than Go aligns it
		}
		kind := ""
		switch f.Type.Kind() {
		case reflect.Uintptr, reflect.Uint64, reflect.Int64:
			kind = "u64"
		case reflect.Int32, reflect.Uint32:
			kind = "u32"
		case reflect.Float32:
			kind = "f32"
		case reflect.Array, reflect.Struct:
			kind = fmt.Sprintf("bytes%d", f.Type.Size())
		default:
			t.Fatalf("%s.%s has type %s, which no parameter has", a, f.Name, f.Type)
		}
		out = append(out, fmt.Sprintf("%s@%d", kind, f.Offset))
	}
	return strings.Join(out, " ")
}
