package server

import (
	"slices"

	"github.com/valyala/fasthttp"
)

// chatCompletions serves POST /v1/chat/completions. The decoded request owns its bytes, since fasthttp reuses ctx as
// soon as the handler returns and a stream is written after that.
func (s *Server) chatCompletions(ctx *fasthttp.RequestCtx) {
	r := s.newRequest(true)
	if bad := s.reserve(r); bad != nil {
		writeError(ctx, bad)
		return
	}
	defer r.place.Release()
	if bad := r.decode(ctx.PostBody(), s.chatFields); bad != nil {
		writeError(ctx, bad)
		return
	}
	if bad := s.checkModel(r.model); bad != nil {
		writeError(ctx, bad)
		return
	}
	ids, bad := s.chatIDs(r)
	if bad != nil {
		writeError(ctx, bad)
		return
	}
	s.answer(ctx, r, [][]int32{ids})
}

// completions serves POST /v1/completions.
func (s *Server) completions(ctx *fasthttp.RequestCtx) {
	r := s.newRequest(false)
	if bad := s.reserve(r); bad != nil {
		writeError(ctx, bad)
		return
	}
	defer r.place.Release()
	if bad := r.decode(ctx.PostBody(), s.completionFields); bad != nil {
		writeError(ctx, bad)
		return
	}
	if bad := s.checkModel(r.model); bad != nil {
		writeError(ctx, bad)
		return
	}
	prompts := make([][]int32, 0, len(r.prompts))
	for _, p := range r.prompts {
		ids, bad := s.promptIDs(r, p)
		if bad != nil {
			writeError(ctx, bad)
			return
		}
		prompts = append(prompts, ids)
	}
	s.answer(ctx, r, prompts)
}

// reserve holds a place for r in the engine's queue, or refuses it before any work: parsing, rendering, tokenizing.
func (s *Server) reserve(r *request) *apiError {
	if s.inflight.closed() {
		return draining()
	}
	e, ok := s.engine.(reserver)
	if !ok {
		return nil
	}
	var err error
	if r.place, err = e.Reserve(); err != nil {
		return s.engineError(err, r, false)
	}
	return nil
}

// checkModel refuses a model that is not served.
func (s *Server) checkModel(name string) *apiError {
	if name == s.model.Name || slices.Contains(s.model.Aliases, name) {
		return nil
	}
	e := refused(fasthttp.StatusNotFound, "model_not_found", "The model %s does not exist here. GET /v1/models lists what does.",
		quote(name))
	e.param = "model"
	return e
}
