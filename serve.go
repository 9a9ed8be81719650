package weft

import (
	"cmp"
	"time"

	"github.com/weft-llm/weft/engine"
	"github.com/weft-llm/weft/server"
)

// Server returns an OpenAI-compatible server of the model. What o leaves open of the model is filled in.
func (m *Model) Server(o server.Options) (*server.Server, error) {
	o.Engine = served{m.engine}
	if m.tokenizer != nil {
		o.Tokenizer = server.NewTokenizer(m.tokenizer)
	}
	if m.template != nil {
		o.Template = server.NewTemplate(m.template, m.tokenizer)
	}
	o.Model.Name = cmp.Or(o.Model.Name, m.name)
	o.Model.MaxContext = m.engine.Limit()
	o.Model.Stop = m.eos
	if o.Model.Sampling.TopP == 0 {
		o.Model.Sampling = m.defaults()
	}
	if o.Model.Created.IsZero() {
		o.Model.Created = time.Now()
	}
	return server.New(o)
}

// defaults is how the model's authors recommend to draw tokens, for what a request leaves out.
func (m *Model) defaults() engine.Sampling {
	s, d := engine.DefaultSampling(), &m.checkpoint.Defaults
	set := func(p, v *float32) {
		if v != nil {
			*p = *v
		}
	}
	set(&s.Temperature, d.Temperature)
	set(&s.TopP, d.TopP)
	set(&s.MinP, d.MinP)
	set(&s.Repetition, d.RepetitionPenalty)
	if d.TopK != nil {
		s.TopK = int(max(*d.TopK, 0))
	}
	if d.Greedy {
		s.Temperature = 0
	}
	return s
}

// served is the engine as the server wants it.
type served struct{ *engine.Engine }

func (s served) Submit(r engine.Request) (server.Generation, error) {
	g, err := s.Engine.Submit(r)
	if err != nil {
		return nil, err
	}
	return g, nil
}

func (s served) Stats() server.Stats {
	st := s.Engine.Stats()
	return server.Stats{
		Running: st.Running, Waiting: st.Waiting,
		KVUsed: int64(st.SlotsUsed), KVTotal: int64(st.SlotsUsed + st.SlotsFree),
		Expected: st.Outlook, Paused: int64(st.Paused),
	}
}
