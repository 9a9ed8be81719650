// Package hub finds models by name, hf://owner/name[@revision][:file-or-quantisation], in the Hugging Face cache of this
// machine, and downloads those that are not there.
//
// The cache is the one that Python's huggingface_hub keeps; either may use what the other downloaded:
//
//	models--owner--name/blobs/<sha256 of a large file, git blob id of a small one>
//	models--owner--name/snapshots/<commit>/<file>   a link into blobs
//	models--owner--name/refs/<branch or tag>        holds a commit
//
// Nothing that a server says is trusted: names are checked before they become paths, sizes before they are allocated,
// and a file gets its place in the cache only after its hash was found right.
package hub

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Options say where models are and how they are fetched. FromEnv gives the usual ones.
type Options struct {
	Cache       string                  // directory of the cache
	Endpoint    string                  // of the Hub, without a slash at the end
	Token       string                  // sent to Endpoint's host only; "" for public models
	Offline     bool                    // never use the network
	Connections int                     // at once, for all files together; default 8
	Agent       string                  // User-Agent
	Progress    func(done, total int64) // bytes of one pull, called from one goroutine at a time; may be nil
	Notice      func(string)            // what a waiting person should know, one line each; may be nil
}

const (
	defaultEndpoint    = "https://huggingface.co"
	defaultConnections = 8
)

// FromEnv returns the options that the environment asks for, by the variables of Python's huggingface_hub: HF_HUB_CACHE,
// HF_HOME, HF_ENDPOINT, HF_TOKEN, HF_TOKEN_PATH, HF_HUB_OFFLINE, HF_HUB_DISABLE_IMPLICIT_TOKEN.
func FromEnv() (Options, error) {
	home, err := homeDir()
	if err != nil {
		return Options{}, err
	}
	o := Options{
		Cache:    firstSet(os.Getenv("HF_HUB_CACHE"), os.Getenv("HUGGINGFACE_HUB_CACHE"), filepath.Join(home, "hub")),
		Endpoint: firstSet(os.Getenv("HF_ENDPOINT"), defaultEndpoint),
		Offline:  isTrue("HF_HUB_OFFLINE") || isTrue("TRANSFORMERS_OFFLINE"),
	}
	if !isTrue("HF_HUB_DISABLE_IMPLICIT_TOKEN") {
		o.Token, err = token(home)
	}
	return o, err
}

// homeDir returns HF_HOME.
func homeDir() (string, error) {
	if home := os.Getenv("HF_HOME"); home != "" {
		return home, nil
	}
	if cache := os.Getenv("XDG_CACHE_HOME"); cache != "" {
		return filepath.Join(cache, "huggingface"), nil
	}
	user, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("cannot find the model cache: %w; set HF_HOME", err)
	}
	return filepath.Join(user, ".cache", "huggingface"), nil
}

func token(home string) (string, error) {
	if t := firstSet(os.Getenv("HF_TOKEN"), os.Getenv("HUGGING_FACE_HUB_TOKEN")); t != "" {
		return strings.TrimSpace(t), nil
	}
	b, err := os.ReadFile(firstSet(os.Getenv("HF_TOKEN_PATH"), filepath.Join(home, "token")))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("cannot read the Hub's token: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

func firstSet(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

func isTrue(variable string) bool {
	switch strings.ToUpper(os.Getenv(variable)) {
	case "1", "ON", "YES", "TRUE":
		return true
	}
	return false
}

// Hub is a cache and the server that fills it. Its methods may be called from many goroutines and processes at once.
type Hub struct {
	o      Options
	client *client
	pace   pace
	link   func(root *os.Root, blob, file string) error // puts a blob in its snapshot

	mu   sync.Mutex
	said string // the last notice: connections that meet the same say it once
}

// notice tells a waiting person something.
func (h *Hub) notice(line string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if line != h.said {
		h.said = line
		h.o.Notice(line)
	}
}

// pace is how patient downloads are.
type pace struct {
	backoff time.Duration // before the first retry; doubles with each
	longest time.Duration // wait before a retry, whatever a server asks for
	stall   time.Duration // a connection without a byte for so long is cut
	tries   int           // without a byte of progress, before giving up
	lock    time.Duration // between looks at another process's lock
}

// New checks o and returns the Hub. Nothing is opened or connected to yet.
func New(o Options) (*Hub, error) {
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("cannot use HF_ENDPOINT %q: want a URL such as https://host", o.Endpoint)
	}
	if o.Cache == "" {
		return nil, errors.New("cannot use a model cache without a directory")
	}
	if o.Cache, err = filepath.Abs(o.Cache); err != nil {
		return nil, fmt.Errorf("cannot use the model cache: %w", err)
	}
	if strings.ContainsFunc(o.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("cannot use the Hub's token: it holds characters that no token has; see HF_TOKEN and HF_TOKEN_PATH")
	}
	if o.Connections <= 0 {
		o.Connections = defaultConnections
	}
	if o.Progress == nil {
		o.Progress = func(int64, int64) {}
	}
	if o.Notice == nil {
		o.Notice = func(string) {}
	}
	u.Path = strings.TrimRight(u.Path, "/")
	h := &Hub{o: o, link: place, pace: pace{
		backoff: 500 * time.Millisecond, longest: 10 * time.Minute, stall: 30 * time.Second, tries: 6, lock: 200 * time.Millisecond,
	}}
	h.client = &client{endpoint: u, token: o.Token, agent: firstSet(o.Agent, "weft"), http: &http.Client{Transport: transport(o.Connections)}}
	return h, nil
}

// Cache returns the directory of the cache.
func (h *Hub) Cache() string { return h.o.Cache }

// Model is a model in the cache.
type Model struct {
	Ref        Ref
	Commit     string
	Path       string // what to open: the snapshot's directory, or the GGUF file (the first of several)
	Files      []File
	Downloaded int64 // bytes that came over the network, 0 for one that was there
}

// Bytes returns the size of the model's files.
func (m Model) Bytes() int64 { return sumSizes(m.Files) }

// ErrNotCached means that the cache does not hold the model, or not all of its files.
var ErrNotCached = errors.New("not in the cache")

// Resolve returns the model from the cache, as it is, and downloads it if it is not there or lacks files. It does not
// look for a newer revision: Pull does.
func (h *Hub) Resolve(ctx context.Context, r Ref) (Model, error) {
	m, missing := h.Find(r)
	if missing == nil {
		return m, nil
	}
	if h.o.Offline {
		return Model{}, fmt.Errorf("cannot open %v: %w. HF_HUB_OFFLINE is set: unset it, or run `weft pull %v` where there "+
			"is a network and copy the cache (%s)", r, missing, r, h.o.Cache)
	}
	return h.Pull(ctx, r)
}
