package hub

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// variant is one GGUF model of a repository: a file, or the shards of one in order.
type variant struct {
	name  string // of the first file
	quant string // "Q4_K_M"; "" when the name does not say
	files []File
	of    int // shards there should be
}

var (
	shardPattern = regexp.MustCompile(`^(.*)-(\d{5})-of-(\d{5})\.gguf$`)
	quantInName  = regexp.MustCompile(`(?i)(?:^|[-._/])((?:UD-)?(?:I?Q[1-8]|TQ[12])_[0-9A-Z]+(?:_[0-9A-Z]+)*|MXFP4(?:_MOE)?|NVFP4|BF16|F16|FP16|F32|FP32)(?:[-._/]|$)`)
)

// maxShards bounds the files of one variant.
const maxShards = 1 << 12

// variants groups a repository's GGUF files, in the order of their names. Vision projectors and importance matrices
// are no models.
func variants(files []File) []*variant {
	files = slices.Clone(files)
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	var out []*variant
	byStem := map[string]*variant{}
	for _, f := range files {
		base := strings.ToLower(path.Base(f.Name))
		if !strings.HasSuffix(base, ".gguf") || strings.Contains(base, "mmproj") || strings.Contains(base, "imatrix") {
			continue
		}
		m := shardPattern.FindStringSubmatch(f.Name)
		if m == nil {
			out = append(out, &variant{name: f.Name, quant: quantOf(strings.TrimSuffix(f.Name, path.Ext(f.Name))), files: []File{f}, of: 1})
			continue
		}
		stem := m[1] + "-of-" + m[3]
		v := byStem[stem]
		if v == nil {
			of, _ := strconv.Atoi(m[3])
			v = &variant{name: m[1] + "-00001-of-" + m[3] + ".gguf", quant: quantOf(m[1]), of: of}
			byStem[stem] = v
			out = append(out, v)
		}
		v.files = append(v.files, f)
	}
	return out
}

// quantOf finds the quantisation in a name without its ending, the last one when there are several.
func quantOf(stem string) string {
	all := quantInName.FindAllStringSubmatch(path.Base(stem), -1)
	if all == nil {
		all = quantInName.FindAllStringSubmatch(path.Dir(stem), -1)
	}
	if all == nil {
		return ""
	}
	return strings.ToUpper(all[len(all)-1][1])
}

// complete refuses a variant that lacks shards.
func (v *variant) complete() ([]File, error) {
	if v.of < 1 || v.of > maxShards || len(v.files) != v.of {
		return nil, fmt.Errorf("%d of the %d files of %s are there", len(v.files), v.of, v.name)
	}
	for i, f := range v.files {
		if m := shardPattern.FindStringSubmatch(f.Name); m != nil && m[2] != fmt.Sprintf("%05d", i+1) {
			return nil, fmt.Errorf("file %d of the %d files of %s is missing", i+1, v.of, v.name)
		}
	}
	return v.files, nil
}

// label is how a person may name the variant after the colon.
func (v *variant) label() string {
	if v.quant != "" {
		return v.quant
	}
	return v.name
}

// chooseGGUF picks the variant that is called selected: by file name (of any shard), or by quantisation in any case.
func chooseGGUF(files []File, selected string) ([]File, error) {
	all := variants(files)
	named := func(v *variant) bool {
		return slices.ContainsFunc(v.files, func(f File) bool { return f.Name == selected })
	}
	quant := func(v *variant) bool { return v.quant != "" && strings.EqualFold(v.quant, selected) }
	dynamic := func(v *variant) bool { return strings.EqualFold(v.quant, "UD-"+selected) }
	for _, match := range []func(*variant) bool{named, quant, dynamic} {
		var found []*variant
		for _, v := range all {
			if match(v) {
				found = append(found, v)
			}
		}
		switch len(found) {
		case 0:
			continue
		case 1:
			return found[0].complete()
		}
		return nil, fmt.Errorf("%q means several files; choose one:%s", selected, list(found, (*variant).file))
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("there is no %q: it has no .gguf file", selected)
	}
	return nil, fmt.Errorf("there is no %q; choose one of:%s", selected, list(all, (*variant).both))
}

// chooseOnlyGGUF is for a repository without a model directory.
func chooseOnlyGGUF(files []File) ([]File, error) {
	all := variants(files)
	switch len(all) {
	case 0:
		return nil, errNoModel
	case 1:
		return all[0].complete()
	}
	return nil, fmt.Errorf("it has %d GGUF models; choose one, for example with \":%s\":%s", len(all), all[0].label(), list(all, (*variant).both))
}

func (v *variant) file() string { return v.name }

func (v *variant) both() string {
	s := fmt.Sprintf("%-10s %s", v.label(), size(sumSizes(v.files)))
	if v.quant != "" {
		s += "  " + v.name
	}
	return s
}

// maxListed bounds the choices in an error.
const maxListed = 60

func list(vs []*variant, line func(*variant) string) string {
	var b strings.Builder
	for i, v := range vs {
		if i == maxListed {
			fmt.Fprintf(&b, "\n  and %d more", len(vs)-i)
			break
		}
		b.WriteString("\n  " + line(v))
	}
	return b.String()
}

// size prints bytes for people.
func size(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f kB", float64(n)/1e3)
}
