package server

import (
	"slices"

	"github.com/valyala/fasthttp"
)

// chatCompletions serves POST /v1/chat/completions. The decoded request owns its bytes, since fasthttp reuses ctx as
// soon as the handler returns and a stream is written after that.
func (s *Server) chatCompletions(ctx *fasthttp.RequestCtx) {
	r := s.newRequest(true)
	if bad := r.decode(ctx.PostBody(), s.chatFields); bad != nil {
		writeError(ctx, bad)
		return
	}
	if bad := s.checkModel(r.model); bad != nil {
		writeError(ctx, bad)
		return
	}
	if bad := s.room(r); bad != nil {
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
	if bad := r.decode(ctx.PostBody(), s.completionFields); bad != nil {
		writeError(ctx, bad)
		return
	}
	if bad := s.checkModel(r.model); bad != nil {
		writeError(ctx, bad)
		return
	}
	if bad := s.room(r); bad != nil {
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

// room refuses what the engine would not take, before the work of rendering and tokenizing.
func (s *Server) room(r *request) *apiError {
	if s.inflight.closed() {
		return draining()
	}
	if e, ok := s.engine.(roomer); ok {
		if err := e.Room(); err != nil {
			return s.engineError(err, r, false)
		}
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
