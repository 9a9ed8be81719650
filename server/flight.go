package server

import (
	"encoding/json"

	"github.com/valyala/fasthttp"

	"github.com/weft-llm/weft/engine"
)

// recorder is what an Engine may have besides Submit: a flight recorder.
type recorder interface{ Flight() []engine.StepRecord }

// getFlight serves GET /debug/flight: what the engine's last steps did, as a trace for ui.perfetto.dev or, with
// ?format=json, as the records themselves. Without a key to guard it, only this machine may ask.
func (s *Server) getFlight(ctx *fasthttp.RequestCtx) {
	if s.key == nil && !(ctx.RemoteIP().IsLoopback() && ctx.LocalIP().IsLoopback()) {
		writeError(ctx, refused(fasthttp.StatusForbidden, "not_local", "Without an API key, only the server's own machine may ask for this."))
		return
	}
	r, ok := s.engine.(recorder)
	if !ok {
		writeError(ctx, refused(fasthttp.StatusNotFound, "not_found", "This engine has no flight recorder."))
		return
	}
	var err error
	switch format := string(ctx.QueryArgs().Peek("format")); format {
	case "", "perfetto":
		ctx.SetContentType("application/json")
		err = engine.WriteTrace(ctx, r.Flight())
	case "json":
		ctx.SetContentType("application/json")
		err = json.NewEncoder(ctx).Encode(r.Flight())
	default:
		writeError(ctx, refused(fasthttp.StatusBadRequest, "invalid_format", "format is %s, want perfetto or json.", quote(format)))
		return
	}
	if err != nil {
		s.log.Error("cannot write the flight record", "error", err)
		writeError(ctx, internal())
	}
}
