package engine

import (
	"testing"
	"time"
)

// A device whose steps take as those of an 8B model with 32 requests on one GPU do, about: reading the weights, a fixed
// cost of prompts beside decodes, and of each prompt token's products and keys.
func pacedStep(prefill, context int) time.Duration {
	t := 6500 * time.Microsecond
	if prefill > 0 {
		t += 800*time.Microsecond + time.Duration(prefill)*(22*time.Microsecond+time.Duration(context)*2*time.Nanosecond)
	}
	return t
}

func TestPace_APromptOf16kSlowsDecodesByTheLimitAndNoMore(t *testing.T) {
	p := pace{limit: 2}
	record := func(prefill, context int) *StepRecord {
		return &StepRecord{Decodes: 32, Tokens: int32(32 + prefill), Prefill: int32(prefill), DeviceEnded: pacedStep(prefill, context)}
	}
	for range 100 {
		p.landed(record(0, 0))
	}
	const limit = 2 * 6500 * time.Microsecond
	var flying *StepRecord // landed when the step behind it has been planned
	steps, over := 0, 0
	for context := 0; context < 16384; steps++ {
		n := p.mixed(0)
		context += n
		if flying != nil {
			p.landed(flying)
		}
		if flying = record(n, context); flying.Device() > limit {
			over++
		}
	}
	if over > steps/100 {
		t.Errorf("%d of %d steps took more than twice one that only decodes, want at most one in a hundred", over, steps)
	}
	if steps > 150 {
		t.Errorf("the prompt took %d steps: the time that there is was not used", steps)
	}
}

func TestPace_PromptsGoOnWhateverTheyCost(t *testing.T) {
	p := pace{limit: 1.01, decode: 1e6, token: 1e9}
	if n := p.mixed(0); n != paceLeast {
		t.Errorf("%d tokens of prompts, want %d", n, paceLeast)
	}
}

func TestPace_WithoutALimitOnlyMixedTokensCount(t *testing.T) {
	p := pace{}
	p.landed(&StepRecord{Decodes: 1, Prefill: 100, Tokens: 101, DeviceEnded: time.Second})
	if n := p.mixed(0); n != 0 {
		t.Errorf("%d tokens of prompts, want no limit", n)
	}
	if n := p.mixed(7); n != 7 {
		t.Errorf("%d tokens of prompts, want 7", n)
	}
}

func TestPace_MixedTokensBoundWhatTheLimitWouldAllow(t *testing.T) {
	p := pace{limit: 2, decode: 1e6, token: 1}
	if n := p.mixed(512); n != 512 {
		t.Errorf("%d tokens of prompts, want 512", n)
	}
}
