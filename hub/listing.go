package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
)

// File is a file of a model.
type File struct {
	Name string // in the repository, with slashes
	Size int64  // bytes
	ID   string // hex: the sha-256 of a large file, else the git blob id (sha-1); names its blob. "" if not known
}

func sumSizes(files []File) (n int64) {
	for _, f := range files {
		n += f.Size
	}
	return n
}

// listing is what a repository holds at one commit.
type listing struct {
	commit string
	files  []File
}

// Bounds of what a server may say.
const (
	maxListing  = 64 << 20 // bytes of JSON
	maxFileSize = 1 << 50
)

// listing asks the Hub what r's revision is and holds.
func (h *Hub) listing(ctx context.Context, r Ref) (listing, error) {
	l, err := h.fetchListing(ctx, r)
	if err != nil {
		return listing{}, fmt.Errorf("cannot list %v: %w", Ref{Owner: r.Owner, Name: r.Name, Revision: r.Revision}, err)
	}
	return l, nil
}

func (h *Hub) fetchListing(ctx context.Context, r Ref) (listing, error) {
	u := "/api/models/" + r.ID() + "/revision/" + url.PathEscape(r.revision()) + "?blobs=true"
	var body []byte
	err := h.retry(ctx, func() (progress bool, err error) {
		body, err = h.client.read(ctx, u, maxListing)
		return false, err
	})
	if err != nil {
		return listing{}, err
	}
	return parseListing(body, r)
}

func parseListing(body []byte, r Ref) (listing, error) {
	var v struct {
		SHA      string `json:"sha"`
		Siblings []struct {
			Name string `json:"rfilename"`
			Size *int64 `json:"size"`
			Blob string `json:"blobId"`
			LFS  *struct {
				SHA  string `json:"sha256"`
				Size *int64 `json:"size"`
			} `json:"lfs"`
		} `json:"siblings"`
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return listing{}, fmt.Errorf("the answer is not the JSON of a Hub: %w", err)
	}
	if !commitPattern.MatchString(v.SHA) {
		return listing{}, fmt.Errorf("the answer names no commit but %.60q", v.SHA)
	}
	if commitPattern.MatchString(r.Revision) && v.SHA != r.Revision {
		return listing{}, fmt.Errorf("the answer is for another commit, %s", v.SHA)
	}
	l := listing{commit: v.SHA}
	seen := map[string]bool{}
	for _, s := range v.Siblings {
		f := File{Name: s.Name, ID: s.Blob}
		size := s.Size
		if s.LFS != nil {
			f.ID, size = s.LFS.SHA, s.LFS.Size
		}
		// Case and Unicode differ between file systems; a clash would put one file in the other's place.
		if key := strings.ToLower(f.Name); seen[key] {
			return listing{}, fmt.Errorf("the answer lists %.200q twice", f.Name)
		} else {
			seen[key] = true
		}
		if size != nil {
			f.Size = *size
		}
		if size == nil || f.Size < 0 || f.Size > maxFileSize {
			f.ID = "" // refused if it is chosen
		}
		l.files = append(l.files, f)
	}
	return l, nil
}

// checkFile refuses a listed file that cannot be put in the cache safely or not be verified.
func checkFile(f File) error {
	switch {
	case !validFile(f.Name):
		return fmt.Errorf("the Hub lists a file called %.200q, which would not stay in the cache", f.Name)
	case !blobPattern.MatchString(f.ID):
		return fmt.Errorf("the Hub gives no usable size and hash for %s", f.Name)
	}
	return nil
}

// readAtMost reads r to its end, which may be at most n bytes away.
func readAtMost(r io.Reader, n int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, n+1))
	if err == nil && int64(len(b)) > n {
		err = fmt.Errorf("the answer is longer than %d bytes", n)
	}
	return b, err
}
