package hub

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// listed returns what the repository holds at commit, if huggingface_hub left a listing in the cache, so that a download
// of its that was broken off is seen to lack files. Otherwise it is taken that what is there is all.
func (h *Hub) listed(r Ref, commit string, there []File) []File {
	b, err := os.ReadFile(filepath.Join(h.o.Cache, r.folder(), "trees", commit+".json"))
	if err != nil {
		return there
	}
	var v struct {
		Version int `json:"format_version"`
		Files   map[string]struct {
			Size int64  `json:"size"`
			Blob string `json:"blob_id"`
			SHA  string `json:"lfs_sha256"`
		} `json:"files"`
	}
	if json.Unmarshal(b, &v) != nil || v.Version != 1 || len(v.Files) == 0 {
		return there
	}
	out := make([]File, 0, len(v.Files))
	for name, f := range v.Files {
		out = append(out, File{Name: name, Size: f.Size, ID: firstSet(f.SHA, f.Blob)})
	}
	return out
}
