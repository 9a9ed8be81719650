"""Template shapes: own templates that use what the templates of real models use, and the conversations they render.

shapes() puts each family of models' way of writing turns together with the ways of treating system messages, tools,
reasoning and parts. Nothing here is a model's own template.
"""

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Current \"weather\" for <city> & more: é 中",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "The city"},
                "unit": {"type": "string", "enum": ["c", "f"], "default": "c"},
                "days": {"type": ["integer", "null"]},
            },
            "required": ["city"],
        },
    },
}
ADD = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}


def call(name, arguments, id="call00001"):
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def m(role, content, **more):
    return {"role": role, "content": content, **more}


CONVERSATIONS = {
    "user": {"messages": [m("user", "Hi there")]},
    "system": {"messages": [m("system", " You help.\n"), m("user", " Hi \n")]},
    "turns": {"messages": [m("system", "S"), m("user", "One"), m("assistant", "<think>\nhm\n</think>\n\nTwo"),
                           m("user", "Three"), m("assistant", "Four", reasoning_content="why\n"), m("user", "Five")]},
    "tools": {"messages": [m("user", "Weather?")], "tools": [WEATHER, ADD]},
    "results": {"messages": [m("system", "S"), m("user", "Weather?"),
                             m("assistant", "", tool_calls=[call("get_weather", {"city": "Zürich", "days": 2.0, "x": None, "ok": True}),
                                                            call("add", {}, "call00002")]),
                             m("tool", "{\"t\": 21}", name="get_weather", tool_call_id="call00001"),
                             m("tool", "22", name="add", tool_call_id="call00002"), m("assistant", "21."), m("user", "ok")],
                "tools": [WEATHER]},
    "parts": {"messages": [m("user", [{"type": "text", "text": "What is "}, {"type": "image"}, {"type": "text", "text": "this?"}]),
                           m("assistant", [{"type": "text", "text": "A cat"}]), m("user", [{"type": "image_url", "image_url": {"url": "data:,"}}])]},
    "unicode": {"messages": [m("system", "é中🙂\u200d\u0301\u2028"), m("user", "\u00a0مرحبا\u3000"), m("assistant", "‘ok’ \\n <|x|>"), m("user", "🙂")]},
    "empty": {"messages": [m("system", ""), m("user", ""), m("assistant", ""), m("user", " \n")], "enable_thinking": False},
    "broken": {"messages": [m("assistant", "x"), m("assistant", None), m("odd", "z")]},
}

# A turn of each style: opening of a role, end of a turn, what opens the answer.
STYLES = {
    "im": ("'<|im_start|>' + %s + '\\n'", "'<|im_end|>\\n'", "<|im_start|>assistant\n"),
    "header": ("'<|start_header_id|>' + %s + '<|end_header_id|>\\n\\n'", "'<|eot|>'", "<|start_header_id|>assistant<|end_header_id|>\n\n"),
    "gemma": ("'<start_of_turn>' + ('model' if %s == 'assistant' else role) + '\\n'", "'<end_of_turn>\\n'", "<start_of_turn>model\n"),
    "bar": ("'<|' ~ %s ~ '|>\\n'", "eos_token ~ '\\n'", "<|assistant|>\n"),
    "plain": ("%s | title ~ ': '", "'\\n\\n'", "Assistant:"),
    "json": ("'<' ~ {'role': %s} | tojson ~ '>'", "'</turn>'", "<turn>"),
    "hash": ("'### %%s:\\n' %% (%s | upper)", "'\\n'", "### ASSISTANT:\n"),
}

CONTENT = {
    "text": "{{ message['content'] }}",
    "trim": "{{- message.content | trim if message.content is string else '' }}",
    "parts": "{%- if message.content is string %}{{ message.content }}{%- elif message.content is iterable and message.content is not mapping %}"
             "{%- for part in message.content %}{%- if part.type == 'text' %}{{ part['text'] }}{%- elif 'image' in part.type %}<image{{ loop.index }}>{%- endif %}{%- endfor %}{%- endif %}",
    "macro": "{{ show(message.content, loop.first) }}",
    "think": "{%- set content = message.content if message.content is string else '' %}{%- set reason = '' %}"
             "{%- if message.reasoning_content is defined and message.reasoning_content is not none %}{%- set reason = message.reasoning_content %}"
             "{%- elif '</think>' in content %}{%- set reason = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}"
             "{%- set content = content.split('</think>')[-1].lstrip('\\n') %}{%- endif %}"
             "{%- if reason and loop.index0 > ns.last %}{{ '<think>\\n' + reason.strip('\\n') + '\\n</think>\\n\\n' }}{%- endif %}{{ content }}",
}

MACRO = """{%- macro show(content, first) -%}
{%- if content is string -%}{{ content }}{%- elif content is mapping or content is none -%}-{%- else -%}
{%- for part in content -%}{%- if part is mapping and 'text' in part -%}{{ part.text }}{%- else -%}[{{ part.get('type', '?') }}]{%- endif -%}{%- endfor -%}
{%- endif -%}{%- if first %}!{% endif -%}
{%- endmacro -%}
"""

SYSTEM = {
    "first": "{%- if messages[0].role == 'system' %}{%- set system = messages[0].content %}{%- set rest = messages[1:] %}{%- else %}"
             "{%- set system = 'Be brief.' %}{%- set rest = messages %}{%- endif %}{{ '[SYS]' + system + '[/SYS]\\n' }}\n",
    "inline": "{% set rest = messages %}",
    "filter": "{%- set system = messages | selectattr('role', 'equalto', 'system') | map(attribute='content') | join('\\n') -%}"
              "{%- set rest = messages | rejectattr('role', 'equalto', 'system') | list -%}{%- if system %}{{ system | trim ~ '\\n' }}{% endif -%}",
    "strict": "{% if messages[0]['role'] == 'system' %}{% set rest = messages[1:] %}{% set system = messages[0]['content'] %}{% else %}"
              "{% set rest = messages %}{% set system = false %}{% endif %}{% for x in rest %}{% if x.role not in ['user', 'assistant', 'tool'] %}"
              "{{ raise_exception('unknown role ' ~ x.role ~ ' at ' ~ loop.index0) }}{% endif %}{% endfor %}{% if system is not false %}<<{{ system }}>>{% endif %}",
}

TOOLS = {
    "none": "",
    "lines": "{%- if tools %}{{- '# Tools\\n<tools>' }}{%- for tool in tools %}{{- '\\n' }}{{- tool | tojson }}{%- endfor %}{{- '\\n</tools>\\n' }}{%- endif %}",
    "indent": "{% if tools is not none and tools is defined %}{% for t in tools %}{{ t | tojson(indent=4) }}{{ '\\n\\n' if not loop.last }}{% endfor %}{% endif %}",
    "list": "{%- if tools %}{{ '[TOOLS]' + (tools | tojson) + '[/TOOLS]' }}{%- endif %}",
    "types": "{%- if tools -%}{%- for t in tools %}{%- set f = t.function %}\ntype {{ f.name }} = ({% for k, v in f.parameters.properties.items() %}"
             "{{ k }}{{ '' if k in (f.parameters.required or []) else '?' }}: {% if v.enum %}{{ v.enum | map('tojson') | join(' | ') }}{% elif v.type is string %}{{ v.type }}"
             "{% else %}{{ v.type | join('|') }}{% endif %}{% if v.default is defined %}={{ v.default }}{% endif %}{{ ', ' if not loop.last else '' }}{% endfor %}) // {{ f.description | default('none', true) }}"
             "{%- endfor %}\n{% endif -%}",
}

CALLS = {
    "none": "",
    "json": "{%- for tool_call in message.tool_calls or [] %}{%- set tc = tool_call.function or tool_call %}{{- '<tool_call>\\n{\"name\": \"' ~ tc.name ~ '\", \"arguments\": ' }}"
            "{{- tc.arguments if tc.arguments is string else tc.arguments | tojson }}{{- '}\\n</tool_call>' }}{%- endfor %}",
    "list": "{%- if message.tool_calls is defined and message.tool_calls is not none %}[CALLS][{%- for c in message['tool_calls'] %}{%- set out = c.function | tojson %}"
            "{{- out[:-1] }}{%- if c.id is undefined or c.id | length != 9 %}{{- raise_exception('ids have 9 characters') }}{%- endif %}{{- ', \"id\": \"' + c.id + '\"}' }}"
            "{%- if not loop.last %}, {% endif %}{%- endfor %}]{%- endif %}",
    "args": "{%- if 'tool_calls' in message and message['tool_calls'] -%}{%- for c in message.tool_calls -%}{{ c.function.name }}("
            "{%- for k, v in c.function.arguments | dictsort -%}{{ k }}={{ v if v is string else v | tojson }}{{ ', ' if not loop.last }}{%- endfor -%});{%- endfor -%}{%- endif -%}",
}

RESULTS = {
    "turn": "",
    "group": "{%- if message.role == 'tool' %}{%- if loop.first or rest[loop.index0 - 1].role != 'tool' %}<results>{%- endif %}<r>{{ message.content }}</r>"
             "{%- if loop.last or rest[loop.index0 + 1].role != 'tool' %}</results>\n{%- endif %}{%- continue %}{%- endif %}",
    "prev": "{%- if message.role == 'tool' %}{%- if loop.previtem is defined and loop.previtem.role != 'tool' %}<results>{%- endif %}{{- message | tojson }}"
            "{%- if loop.nextitem is undefined or loop.nextitem.role != 'tool' %}</results>{%- endif %}{%- continue %}{%- endif %}",
}


def shape(style, content, system, tools, calls, results, mark, order):
    opening, end, answer = STYLES[style]
    body = "{%- set role = message.role %}" if order else "{% set role = message['role'] %}"
    turn = "{{- " + opening % "role" + " }}"
    inner = CONTENT[content] + CALLS[calls] + "{{- " + end + " }}"
    if mark:
        inner = "{%- if role == 'assistant' %}{% generation %}" + inner + "{% endgeneration %}{%- else %}" + inner + "{%- endif %}"
    out = "{{- bos_token }}\n" if order else "{{ bos_token }}"
    out += MACRO if content == "macro" else ""
    out += SYSTEM[system] + TOOLS[tools]
    out += "{%- set ns = namespace(last=-1, seen=false) %}{%- for x in rest[::-1] %}{%- if x.role == 'user' and not ns.seen %}{%- set ns.seen = true %}{%- set ns.last = rest | length - 1 - loop.index0 %}{%- endif %}{%- endfor %}\n"
    out += "{% for message in rest %}\n" + "    " * order + RESULTS[results] + body + turn + inner + "\n{% endfor %}\n"
    out += "{%- if add_generation_prompt %}{{- " + repr(answer) + " }}{%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}{%- endif %}"
    return out


def shapes():
    """All shapes by name; each choice of each part occurs in many of them, next to different others."""
    parts = [list(p) for p in (STYLES, CONTENT, SYSTEM, TOOLS, CALLS, RESULTS)]
    out = {}
    for i in range(64):
        pick = [p[(i * step + i // len(p)) % len(p)] for p, step in zip(parts, (1, 1, 1, 3, 1, 2))]
        name = "-".join(pick) + ("-mark" if i % 3 == 0 else "") + ("-wide" if i % 2 else "")
        out[name] = shape(*pick, mark=i % 3 == 0, order=i % 2)
    return out
