package jinja_test

import (
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weft-llm/weft/chat/jinja"
)

func render(t *testing.T, source string, vars map[string]jinja.Value) (string, error) {
	t.Helper()
	tmpl, err := jinja.Parse(source)
	if err != nil {
		return "", err
	}
	return tmpl.Render(vars, time.Unix(0, 0))
}

// One rendering allocates at most maxAlloc, whatever the template says. It takes a second or so, at most maxTime,
// or on a slow or busy machine longest times as long as one that counts to its limit.
const (
	maxTime  = 10 * time.Second
	longest  = 50
	maxAlloc = 512 << 20
)

func TestRender_HostileTemplatesEndQuicklyInErrors(t *testing.T) {
	start := time.Now()
	if _, err := render(t, "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", nil); err == nil {
		t.Fatal("a template of 10^10 steps is rendered")
	}
	counted := time.Since(start)
	limit, slowest := max(maxTime, longest*counted), time.Duration(0)
	doubling := strings.Repeat("{% set x = [x, x] %}", 60)
	for _, source := range []string{
		"{{ 'a' * 10**9 }}", "{{ 10**9 * 'a' }}", "{{ 'a' * 10**30 }}", "{{ [1] * 10**9 }}", "{{ ('a' * 4000000) * 2 }}",
		"{{ range(10**9) }}", "{{ range(10**9)|list }}", "{{ range(0, 10**30) }}",
		"{{ 10**(10**10) }}", "{{ 2**10000000 }}", "{{ 9**(9**9) }}", "{% set x = 9**40000 %}{% for i in range(99999) %}{% set y = x * x %}{% endfor %}",
		"{{ 10**5000 }}", "{{ (10**4000)|string * 3000 }}",
		"{{ '%999999999d' % 1 }}", "{{ '%.999999999f' % 1 }}", "{{ '%*d' % (10**9, 1) }}", "{{ '{:999999999}'.format(1) }}",
		"{{ '{:>{}}'.format('a', 10**9) }}", "{{ '{:.999999999f}'.format(1.0) }}", "{{ '{:099999999,}'.format(1) }}",
		"{{ 'a'.center(10**9) }}", "{{ 'a'|center(10**9) }}", "{{ 'a'.ljust(10**18) }}", "{{ '1'.zfill(10**9) }}", "{{ '\\t'.expandtabs(10**9) }}",
		"{{ 'a\\nb'|indent(10**9) }}", "{{ [[[1]]]|tojson(indent=10**9) }}", "{{ [1]|batch(10**9, 'x')|list }}", "{{ [1]|slice(10**9)|list }}",
		"{{ 'ab'|replace('', 'x' * 3000000) }}", "{{ ('a' * 2000000).replace('a', 'bbbb') }}", "{{ ('x' * 2000000).join(['a', 'b', 'c', 'd']) }}",
		"{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "{% macro f(n) %}{{ f(n + 1) }}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}",
		"{% macro f() %}{% call f() %}{% endcall %}{% endmacro %}{{ f() }}", "{% block b %}{{ self.b() }}{% endblock %}",
		"{% set ns = namespace() %}{% set ns.l = [1] %}{% for i in ns.l recursive %}{{ loop(ns.l) }}{% endfor %}",
		"{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
		"{% for a in range(99999) %}{{ 'x' * 1000 }}{% endfor %}",
		"{% set ns = namespace(s='xxxxxxxx') %}{% for a in range(99999) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
		"{% set ns = namespace(l=[1]) %}{% for a in range(99999) %}{% set ns.l = ns.l + ns.l %}{% endfor %}",
		"{% set ns = namespace(l=[]) %}{% for a in range(99999) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l }}",
		"{% set ns = namespace(l=[]) %}{% for a in range(9999) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l|tojson }}",
		"{% set ns = namespace(l=()) %}{% for a in range(9999) %}{% set ns.l = (ns.l,) %}{% endfor %}{{ {ns.l: 1} }}",
		"{% set ns = namespace(l=[]) %}{% for a in range(9999) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l|pprint }}",
		"{% set ns = namespace(l=[], m=[]) %}{% for a in range(9999) %}{% set ns.l = [ns.l] %}{% set ns.m = [ns.m] %}{% endfor %}{{ ns.l == ns.m }}",
		"{% set ns = namespace() %}{% set ns.me = ns %}{{ ns }}", "{% set ns = namespace() %}{% set ns.me = [ns] %}{{ ns.me == ns.me }}{{ ns.me }}",
		"{% set x = 1 %}" + doubling + "{{ x }}", "{% set x = 1 %}" + doubling + "{{ x|tojson }}", "{% set x = 1 %}" + doubling + "{{ x|pprint }}",
		"{% set x = 1 %}" + strings.ReplaceAll(doubling, "[x, x]", "(x, x)") + "{{ {x: 1} }}",
		"{% set x = 1 %}{% set y = 1 %}" + strings.Repeat("{% set x = [x, x] %}{% set y = [y, y] %}", 60) + "{{ x == y }}",
		"{% set l = range(99999)|list %}{% for i in l %}{% if -1 in l %}{% endif %}{% endfor %}",
		"{% set s = 'a' * 4000000 %}{% for i in range(99999) %}{{ s.find('b') }}{% endfor %}",
		"{% set s = 'é' * 2000000 %}{% for i in range(99999) %}{% if s[i] %}{% endif %}{% endfor %}",
		"{% set s = 'a' * 4000000 %}{% for i in range(99999) %}{% if s[1:] %}{% endif %}{% endfor %}",
		"{{ range(99999)|map('center', 4000000)|list }}", "{{ ('(' * 4000000)|urlize }}", "{{ ('a ' * 2000000)|wordwrap(1)|wordwrap(1)|wordwrap(1)|wordwrap(1) }}",
		"{{ ('a ' * 2000000)|pprint|pprint }}", "{{ ('&' * 4000000)|e }}", "{{ ('<' * 2000000)|striptags|urlencode }}",
		"{{ dict.fromkeys(range(99999))|tojson|list|sort|unique|list|groupby(0) }}{% for i in range(99999) %}{{ range(99999)|sum }}{% endfor %}",
		strings.Repeat("{", 5000), strings.Repeat("{{ (", 5000), "{{ " + strings.Repeat("(", 100000) + " }}", "{{ " + strings.Repeat("[", 100000),
		"{{ " + strings.Repeat("-", 100000) + "1 }}", "{{ " + strings.Repeat("not ", 100000) + "1 }}", "{{ 1" + strings.Repeat("+1", 100000) + " }}",
		"{{ x" + strings.Repeat(".x", 100000) + " }}", "{{ x" + strings.Repeat("|upper", 100000) + " }}", "{{ x" + strings.Repeat("()", 100000) + " }}",
		"{{ 1" + strings.Repeat(" if 1 else 1", 100000) + " }}", "{{ 1" + strings.Repeat(" < 1", 100000) + " }}",
		strings.Repeat("{% if 1 %}", 100000), strings.Repeat("{% for x in y %}", 100000), strings.Repeat("{# ", 100000), strings.Repeat("{% raw %}", 100000),
		"{{ " + strings.Repeat("9", 100000) + " }}", strings.Repeat("x", 2<<20),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		text, err := render(t, source, nil)
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		name := source[:min(len(source), 100)]
		if err == nil {
			t.Errorf("%s: got %d bytes, want an error", name, len(text))
		}
		if slowest = max(slowest, took); took > limit {
			t.Errorf("%s: took %v, want at most %v", name, took, limit)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > maxAlloc {
			t.Errorf("%s: allocated %d MiB, want at most %d", name, n>>20, maxAlloc>>20)
		}
	}
	t.Logf("counting to the limit takes %v, the slowest template %v", counted, slowest)
}

func TestRender_TemplatesReachNothingOfTheProgram(t *testing.T) {
	for _, source := range []string{
		"{{ ''.__class__.__mro__[1].__subclasses__() }}", "{{ ''['__class__']['__mro__'] }}", "{{ (''|attr('__class__'))|attr('__mro__') }}",
		"{{ cycler.__init__.__globals__.os.popen('id').read() }}", "{{ joiner.__init__.__globals__ }}", "{{ namespace.__init__.__globals__ }}",
		"{{ self.__init__.__globals__.__builtins__ }}", "{{ lipsum.__globals__['os'] }}", "{{ range.__self__.x }}", "{{ ''.upper.__self__.x }}",
		"{{ '{0.__class__.__mro__}'.format('') }}", "{{ '{0.__class__.__init__.__globals__}'.format(namespace) }}", "{{ '%s'.__mod__.x }}",
		"{{ [].append(1) }}", "{{ {}.update({}) }}", "{{ {}.pop('a') }}", "{{ [].sort() }}", "{{ namespace(__class__=1) }}",
		"{{ raise_exception.__closure__[0] }}", "{% macro m() %}{% endmacro %}{{ m.__call__.__globals__ }}", "{{ m._func.x }}{{ x.y }}",
		"{% include '/etc/passwd' %}", "{% import 'os' as os %}", "{% from 'os' import path %}", "{% extends 'x' %}",
		"{{ request.application }}", "{{ config.items() }}", "{{ loop.parent.x }}", "{{ dict.__base__.x }}", "{{ ().__class__.__bases__[0] }}",
		"{{ {}.__class__.__base__ }}", "{{ (1).__class__.__base__ }}", "{{ none.__class__.__base__ }}", "{{ nope.__class__.__base__ }}",
	} {
		if text, err := render(t, source, nil); err == nil {
			t.Errorf("%s: got %q, want an error", source, text)
		}
	}
	for _, source := range []string{"{{ ''.__class__ }}", "{{ [].append }}", "{{ m._func }}", "{{ range._x }}", "{{ 'a'.__len__ }}"} {
		if text, _ := render(t, source, nil); text != "" {
			t.Errorf("%s: got %q, want nothing", source, text)
		}
	}
}

func TestError_TellsLineAndCause(t *testing.T) {
	for _, c := range []struct {
		source string
		want   jinja.Error
	}{
		{"a\nb\n{{ x.y }}\n", jinja.Error{Line: 3, Kind: "UndefinedError", Msg: "'x' is undefined"}},
		{"{% if true %}\n{{ 1 / 0 }}\n{% endif %}", jinja.Error{Line: 2, Kind: "ZeroDivisionError", Msg: "division by zero"}},
		{"\n{% for x in l %}\n{% endfor %}{{ raise_exception('no') }}", jinja.Error{Line: 3, Kind: "TemplateError", Msg: "no"}},
		{"{% macro m() %}\n{{ none.a.b }}{% endmacro %}\n\n{{ m() }}", jinja.Error{Line: 2, Kind: "UndefinedError", Msg: "'None' has no attribute 'a'"}},
		{"{#\n\n#}\n{{ 1 + }}", jinja.Error{Line: 4, Kind: "TemplateSyntaxError", Msg: "unexpected 'end of print statement'"}},
		{"\n\n{{ 1|nope }}", jinja.Error{Line: 3, Kind: "TemplateAssertionError", Msg: "No filter named 'nope'."}},
		{"\n{% for a in range(99999) %}\n{% for b in range(99999) %}{% endfor %}{% endfor %}", jinja.Error{Line: 3, Kind: jinja.LimitKind, Msg: "template takes more than 1000000 steps"}},
	} {
		_, err := render(t, c.source, nil)
		var e *jinja.Error
		if !errors.As(err, &e) || *e != c.want {
			t.Errorf("%q: got %v, want %v", c.source, err, &c.want)
		}
	}
}

func TestTemplate_RendersInManyGoroutinesAtOnce(t *testing.T) {
	tmpl, err := jinja.Parse("{% macro m(x) %}<{{ x }}>{% endmacro %}{% set ns = namespace(n=0) %}{% for x in l %}{% set ns.n = ns.n + x %}{{ m(x) }}{% endfor %}{{ ns.n }}{{ d.k9 }}")
	if err != nil {
		t.Fatal(err)
	}
	var pairs []jinja.Pair
	for _, k := range strings.Fields("k0 k1 k2 k3 k4 k5 k6 k7 k8 k9") {
		pairs = append(pairs, jinja.Pair{Key: k, Value: jinja.String(k)})
	}
	vars := map[string]jinja.Value{"l": jinja.List(jinja.Int(1), jinja.Int(2)), "d": jinja.Map(pairs...)}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				if got, err := tmpl.Render(vars, time.Time{}); got != "<1><2>3k9" || err != nil {
					t.Errorf("Render() = %q, %v, want %q", got, err, "<1><2>3k9")
					return
				}
			}
		})
	}
	wg.Wait()
}
