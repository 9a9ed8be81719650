package server

import (
	"net/url"
	"strconv"

	"github.com/valyala/fasthttp"
)

// listModels serves GET /v1/models.
func (s *Server) listModels(ctx *fasthttp.RequestCtx) {
	b := []byte(`{"object":"list","data":[`)
	for i, name := range append([]string{s.model.Name}, s.model.Aliases...) {
		b = s.appendModel(comma(b, i), name)
	}
	ctx.SetContentType("application/json")
	ctx.SetBody(append(b, `]}`...))
}

// getModel serves GET /v1/models/{id}; the id may hold slashes.
func (s *Server) getModel(ctx *fasthttp.RequestCtx) {
	raw, _ := ctx.UserValue("id").(string)
	name, err := url.PathUnescape(raw) // once: the router works on the path as it came
	if err != nil {
		name = raw
	}
	if bad := s.checkModel(name); bad != nil {
		writeError(ctx, bad)
		return
	}
	ctx.SetContentType("application/json")
	ctx.SetBody(s.appendModel(nil, name))
}

func (s *Server) appendModel(b []byte, name string) []byte {
	b = appendString(append(b, `{"id":`...), name)
	b = strconv.AppendInt(append(b, `,"object":"model","created":`...), s.model.Created.Unix(), 10)
	b = strconv.AppendInt(append(b, `,"owned_by":"weft","max_model_len":`...), int64(s.model.MaxContext), 10)
	return append(b, '}')
}

// health serves GET /health: 200 while new requests are taken, 503 once the device failed or the server drains.
func (s *Server) health(ctx *fasthttp.RequestCtx) {
	status := "ok"
	switch {
	case s.failed.Load():
		status = "device_error"
	case s.inflight.closed():
		status = "shutting_down"
	default:
		if f, ok := s.engine.(failer); ok && f.Err() != nil {
			status = "device_error"
		}
	}
	if status != "ok" {
		ctx.SetStatusCode(fasthttp.StatusServiceUnavailable)
	}
	ctx.SetContentType("application/json")
	ctx.SetBodyString(`{"status":"` + status + `"}`)
}
