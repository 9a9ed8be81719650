package server

import (
	"encoding/json"
	"net"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/weft-llm/weft/engine"
)

type recordingEngine struct{ *fakeEngine }

func (recordingEngine) Flight() []engine.StepRecord {
	return []engine.StepRecord{{Step: 7, Tokens: 3, Decodes: 3, Plan: 1000, DeviceEnded: 5000}}
}

func TestFlight_IsATraceOrRecords(t *testing.T) {
	s := start(t, always(say("hello")), func(o *Options) { o.Engine = recordingEngine{o.Engine.(*fakeEngine)} })
	var trace struct{ TraceEvents []map[string]any }
	for _, path := range []string{"/debug/flight", "/debug/flight?format=perfetto"} {
		if a := s.do(t, "GET", path, ""); json.Unmarshal([]byte(a.body), &trace) != nil || len(trace.TraceEvents) < 4 {
			t.Errorf("%s = %d %s, want a trace", path, a.status, a.body)
		}
	}
	var records []engine.StepRecord
	a := s.do(t, "GET", "/debug/flight?format=json", "")
	if err := json.Unmarshal([]byte(a.body), &records); err != nil || len(records) != 1 || records[0].Step != 7 || records[0].Plan != 1000 {
		t.Errorf("records = %v, %v from %s", records, err, a.body)
	}
	if a := s.do(t, "GET", "/debug/flight?format=xml", ""); a.status != 400 || !strings.Contains(a.body, "perfetto or json") {
		t.Errorf("format xml = %d %s", a.status, a.body)
	}
	if a := start(t, always(say("hello"))).do(t, "GET", "/debug/flight", ""); a.status != 404 {
		t.Errorf("an engine without a recorder = %d", a.status)
	}
}

func TestFlight_WithoutAKeyIsForThisMachineOnly(t *testing.T) {
	for _, c := range []struct {
		key    string
		remote net.IP
		status int
	}{
		{"", net.IPv4(10, 1, 2, 3), 403},
		{testKey, net.IPv4(10, 1, 2, 3), 200}, // guard has seen the key
	} {
		s := start(t, always(say("hello")), func(o *Options) {
			o.Engine, o.APIKey = recordingEngine{o.Engine.(*fakeEngine)}, c.key
		})
		var ctx fasthttp.RequestCtx
		ctx.Init(&fasthttp.Request{}, &net.TCPAddr{IP: c.remote}, nil)
		if s.getFlight(&ctx); ctx.Response.StatusCode() != c.status {
			t.Errorf("from %v with key %q: %d, want %d", c.remote, c.key, ctx.Response.StatusCode(), c.status)
		}
	}
}
