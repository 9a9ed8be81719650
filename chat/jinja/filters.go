package jinja

// builtinFilters are Jinja2's, but for random, which would make prompts differ, with transformers' tojson.
var builtinFilters = map[string]builtin{
	"abs": {filterAbs}, "attr": {filterAttr}, "batch": {filterBatch}, "capitalize": textFilter(capitalize),
	"center": {filterCenter}, "count": {filterLength}, "d": {filterDefault}, "default": {filterDefault},
	"dictsort": {filterDictSort}, "e": {filterEscape}, "escape": {filterEscape}, "filesizeformat": {filterFileSize},
	"first": {filterFirst}, "float": {filterFloat}, "forceescape": {filterForceEscape}, "format": {filterFormat},
	"groupby": {filterGroupBy}, "indent": {filterIndent}, "int": {filterInt}, "items": {filterItems}, "join": {filterJoin},
	"last": {filterLast}, "length": {filterLength}, "list": {filterList}, "lower": textFilter(lower), "map": {filterMap},
	"max": {filterMax}, "min": {filterMin}, "pprint": {filterPPrint}, "reject": {filterReject}, "rejectattr": {filterRejectAttr},
	"replace": {filterReplace}, "reverse": {filterReverse}, "round": {filterRound}, "safe": {filterSafe},
	"select": {filterSelect}, "selectattr": {filterSelectAttr}, "slice": {filterSlice}, "sort": {filterSort},
	"string": {filterString}, "striptags": {filterStripTags}, "sum": {filterSum}, "title": {filterTitle},
	"tojson": {filterToJSON}, "trim": {filterTrim}, "truncate": {filterTruncate}, "unique": {filterUnique},
	"upper": textFilter(upper), "urlencode": {filterURLEncode}, "urlize": {filterURLize}, "wordcount": {filterWordCount},
	"wordwrap": {filterWordWrap}, "xmlattr": {filterXMLAttr},
}

// soft is markupsafe.soft_str: v as text, still marked safe if it was.
func (st *state) soft(v Value) (Value, string) {
	if s, ok := text(v); ok {
		st.bytes(len(s))
		return v, s
	}
	s := st.display(v)
	return String(s), s
}

func textFilter(f func(string) string) builtin {
	return builtin{func(st *state, v Value, a *args) Value {
		a.bind("filter", 0)
		v, s := st.soft(v)
		s = f(s)
		st.room(len(s))
		return sameMarkup(v, s)
	}}
}

func filterLength(_ *state, v Value, a *args) Value {
	a.bind("length", 0)
	n, ok := length(v)
	if !ok {
		raise("TypeError", "object of type %s has no len()", quote(v.typeName()))
	}
	return Int(n)
}

func filterDefault(_ *state, v Value, a *args) Value {
	b := a.bind("default", 0, "default_value", "boolean")
	_, missing := v.(*undefined)
	if missing || b[1] != nil && truth(b[1]) && !truth(v) {
		if b[0] == nil {
			return String("")
		}
		return b[0]
	}
	return v
}

func filterAttr(st *state, v Value, a *args) Value {
	name, ok := text(a.bind("attr", 1, "name")[0])
	if !ok {
		raise("TypeError", "attribute name must be string")
	}
	if _, ok := v.(*undefined); ok && !dunder[name] {
		checkDefined(v)
	}
	if x := st.attribute(v, name); x != nil {
		return x
	}
	return noAttr(v, name)
}

func filterEscape(st *state, v Value, a *args) Value {
	a.bind("escape", 0)
	return st.escape(v)
}

func filterForceEscape(st *state, v Value, a *args) Value {
	a.bind("forceescape", 0)
	return st.escape(String(st.display(v)))
}

func filterSafe(st *state, v Value, a *args) Value {
	a.bind("safe", 0)
	return markup(st.display(v))
}

func filterString(st *state, v Value, a *args) Value {
	a.bind("string", 0)
	v, _ = st.soft(v)
	return v
}

func filterTrim(st *state, v Value, a *args) Value {
	b := a.bind("trim", 0, "chars")
	v, s := st.soft(v)
	return sameMarkup(v, st.strip(s, b[0], true, true))
}

func filterReplace(st *state, v Value, a *args) Value {
	b := a.bind("replace", 2, "old", "new", "count")
	n := -1
	if !isNone(b[2]) {
		n = needInt(b[2])
	}
	if st.autoescape {
		_, oldSafe := b[0].(markup)
		_, newSafe := b[1].(markup)
		if oldSafe || newSafe {
			v = st.escape(v)
		}
		v, s := st.soft(v)
		_, old := st.soft(b[0])
		_, new := st.soft(b[1])
		if _, ok := v.(markup); ok {
			new = string(st.escape(b[1]))
		}
		return sameMarkup(v, st.replace(s, old, new, n))
	}
	return sameMarkup(String(""), st.replace(st.display(v), st.display(b[0]), st.display(b[1]), n))
}

func filterCenter(st *state, v Value, a *args) Value {
	b := a.bind("center", 0, "width")
	width := 80
	if b[0] != nil {
		width = needInt(b[0])
	}
	v, s := st.soft(v)
	return sameMarkup(v, st.pad("center", s, width, " "))
}

func filterFormat(st *state, v Value, a *args) Value {
	if len(a.pos) > 0 && len(a.names) > 0 {
		raise("FilterArgumentError", "can't handle positional and keyword arguments at the same time")
	}
	v, _ = st.soft(v)
	if len(a.names) > 0 {
		return st.percent(v, namedDict(a))
	}
	return st.percent(v, tuple(a.pos...))
}

func filterXMLAttr(st *state, v Value, a *args) Value {
	b := a.bind("xmlattr", 0, "autospace")
	d, ok := v.(*dict)
	if !ok {
		checkDefined(v)
		raise("AttributeError", "%s object has no attribute 'items'", quote(v.typeName()))
	}
	out := ""
	for i, k := range d.keys {
		if _, missing := d.vals[i].(*undefined); missing || isNone(d.vals[i]) {
			continue
		}
		key := needText("attribute name", k)
		for _, r := range key {
			if r < 0x80 && isSpace(r) && r < 0x1c || r == ' ' || r == '/' || r == '>' || r == '=' {
				raise("ValueError", "Invalid character in attribute name: %s", quote(key))
			}
		}
		if out != "" {
			out += " "
		}
		out += string(st.escape(k)) + `="` + string(st.escape(d.vals[i])) + `"`
		st.room(len(out))
	}
	if out != "" && (b[0] == nil || truth(b[0])) {
		out = " " + out
	}
	return st.marked(out)
}
