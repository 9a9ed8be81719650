"""The chat template, and the same in Python: conversations as pieces of text, each with whether it is the model's."""
import json

TEMPLATE = r"""{%- if tools %}
{{- '<|im_start|>system\n' }}
{%- if messages[0].role == 'system' %}
{{- messages[0].content ~ '\n\n' }}
{%- endif %}
{{- 'You may call these tools:\n<tools>' }}
{%- for tool in tools %}
{{- '\n' ~ (tool | tojson) }}
{%- endfor %}
{{- '\n</tools>\nTo call one, answer with its name and arguments:\n<tool_call>\n{"name": "...", "arguments": {...}}\n</tool_call><|im_end|>\n' }}
{%- elif messages[0].role == 'system' %}
{{- '<|im_start|>system\n' ~ messages[0].content ~ '<|im_end|>\n' }}
{%- endif %}
{%- for message in messages %}
{%- if message.role == 'tool' %}
{{- '\n' if not loop.first and messages[loop.index0 - 1].role == 'tool' else '<|im_start|>user\n' }}
{{- '<tool_response>\n' ~ message.content ~ '\n</tool_response>' }}
{{- '' if not loop.last and messages[loop.index0 + 1].role == 'tool' else '<|im_end|>\n' }}
{%- elif message.role == 'assistant' %}
{{- '<|im_start|>assistant\n' ~ (message.content or '') }}
{%- for call in message.tool_calls or [] %}
{%- set f = call.function or call %}
{{- '\n' if message.content or not loop.first else '' }}
{{- '<tool_call>\n{"name": ' ~ (f.name | tojson) ~ ', "arguments": ' ~ (f.arguments if f.arguments is string else f.arguments | tojson) ~ '}\n</tool_call>' }}
{%- endfor %}
{{- '<|im_end|>\n' }}
{%- elif message.role != 'system' or not loop.first %}
{{- '<|im_start|>' ~ message.role ~ '\n' ~ message.content ~ '<|im_end|>\n' }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
{{- '<|im_start|>assistant\n' }}
{%- endif %}"""

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<tools>", "</tools>"]
CONTROL = SPECIAL[:3]  # the others are part of the text

OTHER, USER, MODEL = 0, 1, 2  # whose words: the weight of the loss depends on it


def dumps(v):
    return json.dumps(v, ensure_ascii=False)


def written(calls):
    return "\n".join(f'<tool_call>\n{{"name": {dumps(c["name"])}, "arguments": {dumps(c["arguments"])}}}\n</tool_call>' for c in calls)


def head(system, tools):
    if tools:
        listing = "".join("\n" + dumps(t) for t in tools)
        return (f"<|im_start|>system\n{system + chr(10) * 2 if system else ''}You may call these tools:\n<tools>{listing}\n</tools>\n"
                'To call one, answer with its name and arguments:\n<tool_call>\n{"name": "...", "arguments": {...}}\n</tool_call><|im_end|>\n')
    return f"<|im_start|>system\n{system}<|im_end|>\n" if system else ""


def pieces(system, tools, turns):
    """The whole conversation as [(text, whose)]; joined, it is what the template gives."""
    out = [(head(system, tools), OTHER)] if system or tools else []
    given = None
    for t in turns:
        if given is not None:
            inner = "\n".join(f"<tool_response>\n{r}\n</tool_response>" for r in given)
            out += [("<|im_start|>user\n", OTHER), (inner, USER)]
        else:
            out += [("<|im_start|>user\n", OTHER), (t.user, USER)]
        out += [("<|im_end|>\n<|im_start|>assistant\n", OTHER), ((written(t.calls) if t.calls else t.answer) + "<|im_end|>", MODEL), ("\n", OTHER)]
        given = t.results
    return out


def messages(system, turns):
    """The conversation as a client would send it, the last answer left out."""
    out = [{"role": "system", "content": system}] if system else []
    given = None
    for i, t in enumerate(turns):
        if given is not None:
            out += [{"role": "tool", "content": r} for r in given]
        else:
            out.append({"role": "user", "content": t.user})
        if i + 1 < len(turns):
            out.append({"role": "assistant", "content": t.answer} if not t.calls else
                       {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": c} for c in t.calls]})
        given = t.results
    return out
