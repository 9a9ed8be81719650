package hub

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// Scheme begins the name of a model on a Hub.
const Scheme = "hf://"

// mainRevision is what a reference without a revision means.
const mainRevision = "main"

// Ref names a model on a Hub: hf://owner/name[@revision][:select].
type Ref struct {
	Owner, Name string
	Revision    string // branch, tag or commit; "" is main
	Select      string // a GGUF file or its quantisation, "" the model directory
}

// IsRef reports whether a model's name means one on a Hub rather than a path.
func IsRef(s string) bool { return strings.HasPrefix(s, Scheme) }

var (
	namePattern     = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]*$`)
	revisionPattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._/+-]*$`)
	quantPattern    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
	commitPattern   = regexp.MustCompile(`^[0-9a-f]{40}$`)
	blobPattern     = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)
)

// maxID bounds "owner/name", as Hubs do; maxPath bounds revisions and file names.
const (
	maxID   = 96
	maxPath = 512
)

// ParseRef reads hf://owner/name[@revision][:file-or-quantisation]. It is strict: what it lets through can be a path
// and a URL component without escaping its place.
func ParseRef(s string) (Ref, error) {
	r, err := parseRef(s)
	if err != nil {
		return Ref{}, fmt.Errorf("cannot read %q: %w; want hf://owner/name[@revision][:file-or-quantisation]", s, err)
	}
	return r, nil
}

func parseRef(s string) (r Ref, err error) {
	rest, ok := strings.CutPrefix(s, Scheme)
	if !ok {
		return r, errors.New("it does not begin with hf://")
	}
	rest, selected, isSelect := strings.Cut(rest, ":")
	id, revision, isRevision := strings.Cut(rest, "@")
	owner, name, ok := strings.Cut(id, "/")
	switch {
	case !ok:
		return r, errors.New("it has no owner")
	case !validName(owner) || !validName(name) || len(id) > maxID:
		return r, fmt.Errorf("%q is no model's name", id)
	case isRevision && !validRevision(revision):
		return r, fmt.Errorf("%q is no revision", revision)
	case isSelect && !validFile(selected) && (len(selected) > maxID || !quantPattern.MatchString(selected) || strings.Contains(selected, "..")):
		return r, fmt.Errorf("%q is neither a file nor a quantisation", selected)
	}
	return Ref{Owner: owner, Name: name, Revision: revision, Select: selected}, nil
}

// validName follows the Hub's rules. "--" separates owner and name in the cache, so no name may hold it.
func validName(s string) bool {
	return namePattern.MatchString(s) && !strings.Contains(s, "--") && !strings.Contains(s, "..") &&
		!strings.HasSuffix(s, ".") && !strings.HasSuffix(s, "-")
}

func validRevision(s string) bool {
	return len(s) <= maxPath && revisionPattern.MatchString(s) && path.Clean(s) == s && !strings.Contains(s, "..") &&
		!strings.HasSuffix(s, ".")
}

// validFile reports whether a repository's file name stays inside the directory that it is put in, on any platform.
func validFile(s string) bool {
	if s == "" || len(s) > maxPath || path.Clean(s) != s || !filepath.IsLocal(filepath.FromSlash(s)) || strings.ContainsAny(s, "\\:*?\"<>|") {
		return false
	}
	for part := range strings.SplitSeq(s, "/") {
		if part == "." || part == ".." || strings.HasSuffix(part, ".") || strings.HasSuffix(part, " ") {
			return false
		}
	}
	return strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) < 0
}

// ID returns "owner/name".
func (r Ref) ID() string { return r.Owner + "/" + r.Name }

// String returns the reference as it is written.
func (r Ref) String() string {
	s := Scheme + r.ID()
	if r.Revision != "" {
		s += "@" + r.Revision
	}
	if r.Select != "" {
		s += ":" + r.Select
	}
	return s
}

func (r Ref) revision() string {
	if r.Revision == "" {
		return mainRevision
	}
	return r.Revision
}

// folder is the model's directory in a cache.
func (r Ref) folder() string { return folderPrefix + r.Owner + "--" + r.Name }

const folderPrefix = "models--"

// refOfFolder is folder's inverse.
func refOfFolder(name string) (Ref, bool) {
	rest, ok := strings.CutPrefix(name, folderPrefix)
	if !ok {
		return Ref{}, false
	}
	owner, name, ok := strings.Cut(rest, "--")
	return Ref{Owner: owner, Name: name}, ok && validName(owner) && validName(name)
}
