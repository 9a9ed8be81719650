package engine

// pace fits the tokens of prompts in steps that also decode to Options.DecodeSlowdown. It takes what such a step costs
// beyond one that only decodes to be in proportion to them; as it is not quite, each step corrects the next.
type pace struct {
	limit  float64 // longest step, in times of one that only decodes; 0: any
	decode float64 // ns of a step that only decodes, lately
	token  float64 // ns that a prompt's token adds to a step that also decodes, lately
}

const (
	paceFirst = 64     // tokens, before any step has told what they cost
	paceLeast = 16     // tokens, so that prompts go on in any case
	paceAim   = 0.9    // of the time there is: what a step took is known when the one behind it has been launched
	paceEase  = 1. / 8 // by how much a step that took less than lately lowers what a token is taken to cost; more counts at once
)

// landed learns from a step.
func (p *pace) landed(r *StepRecord) {
	took := float64(r.Device())
	switch {
	case p.limit == 0 || took <= 0 || r.Decodes == 0:
	case r.Prefill == 0:
		p.decode = lately(p.decode, took, 1./8)
	case p.decode > 0:
		if cost := max(took-p.decode, 0) / float64(r.Prefill); cost > p.token {
			p.token = cost
		} else {
			p.token = lately(p.token, cost, paceEase)
		}
	}
}

// lately is the mean of old ones and x, in which x has weight w; the first counts whole.
func lately(mean, x, w float64) float64 {
	if mean == 0 {
		return x
	}
	return mean + w*(x-mean)
}

// mixed returns how many tokens of prompts a step that also decodes may compute, at most most; 0: any number.
func (p *pace) mixed(most int) int {
	if p.limit == 0 {
		return most
	}
	n := paceFirst
	if p.token > 0 {
		n = max(int(min(paceAim*(p.limit-1)*p.decode/p.token, 1<<30)), paceLeast)
	}
	if most > 0 {
		n = min(n, most)
	}
	return n
}
