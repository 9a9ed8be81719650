"""Calls a weft server with the official Python client; run by TestClients. Usage: openai_client.py BASE_URL KEY"""

import sys

import openai

base, key = sys.argv[1:]
client = openai.OpenAI(base_url=base, api_key=key, max_retries=0)
chat = dict(model="tiny", messages=[{"role": "user", "content": "hello"}])
want = "The capital of France"


def fails(error, call, **check):
    try:
        call()
    except error as e:
        for name, value in check.items():
            assert getattr(e, name) == value, (name, getattr(e, name), value)
        return
    raise AssertionError(f"no {error.__name__}")


answer = client.chat.completions.create(**chat)
assert answer.choices[0].message.content == want and answer.choices[0].finish_reason == "stop"
assert answer.usage.prompt_tokens == 9 and answer.usage.prompt_tokens_details.cached_tokens == 2
history = chat["messages"] + [answer.choices[0].message, {"role": "user", "content": [{"type": "text", "text": "more"}]}]
assert client.chat.completions.create(model="tiny", messages=history).choices[0].message.content == want

answer = client.chat.completions.create(**chat, n=2, logprobs=True, top_logprobs=2, stop=["OP"], seed=1, user="u")
assert [c.index for c in answer.choices] == [0, 1]
assert bytes(b for t in answer.choices[1].logprobs.content for b in t.bytes).decode() == want
assert len(answer.choices[1].logprobs.content[0].top_logprobs) == 2

chunks = list(client.chat.completions.create(**chat, stream=True, n=2, stream_options={"include_usage": True}))
for i in range(2):
    mine = [c.choices[0] for c in chunks if c.choices and c.choices[0].index == i]
    assert mine[0].delta.role == "assistant" and mine[-1].finish_reason == "stop"
    assert "".join(c.delta.content or "" for c in mine) == want
assert chunks[-1].usage.completion_tokens == 8 and not chunks[-1].choices

with client.chat.completions.stream(**chat, logprobs=True) as stream:
    kinds = {event.type for event in stream}
    assert stream.get_final_completion().choices[0].message.content == want
assert {"chunk", "content.delta", "content.done", "logprobs.content.delta"} <= kinds, kinds

answer = client.completions.create(model="tiny", prompt=["hello", "The"], max_tokens=2, logprobs=1, echo=False)
assert [c.text for c in answer.choices] == ["The capital"] * 2 and answer.choices[0].finish_reason == "length"
assert answer.choices[0].logprobs.text_offset == [0, 3]
assert "".join(c.choices[0].text for c in client.completions.create(model="tiny", prompt=[1, 2], stream=True)) == want

assert [m.id for m in client.models.list()] == ["tiny"] and client.models.retrieve("tiny").owned_by == "weft"

fails(openai.NotFoundError, lambda: client.chat.completions.create(**{**chat, "model": "gpt-4"}), code="model_not_found", param="model")
fails(openai.BadRequestError, lambda: client.chat.completions.create(**chat, max_tokens=4096), code="context_length_exceeded", param="max_tokens")
fails(openai.BadRequestError, lambda: client.chat.completions.create(**chat, tools=[]), param="tools")
fails(openai.AuthenticationError, lambda: client.with_options(api_key="no").models.list(), code="invalid_api_key")
fails(openai.RateLimitError, lambda: client.chat.completions.create(**chat, max_tokens=3), code="queue_full")
fails(openai.InternalServerError, lambda: client.chat.completions.create(**chat, max_tokens=4), code="queue_timeout")
fails(openai.APIError, lambda: list(client.chat.completions.create(**chat, max_tokens=5, stream=True)), code="numeric_error")

one = client.chat.completions.create(**chat, stream=True, max_tokens=6)
next(one)
one.close()  # hangs up in the middle
print("ok: openai-python", openai.__version__)
