"""Templates that try one thing of the language each. golden.py renders them with VARS."""

VARS = {
    "n": 7, "neg": -7, "f": 2.5, "big": 12345678901234567890, "t": True, "no": False, "none_": None,
    "s": "Hello World", "u": "héllo wörld ß 中文 🙂", "empty": "", "ws": "  a b\tc \n", "q": "it's \"quoted\" \\ \n\t\x00é\u200b",
    "html": "<a href=\"x\">T & 'q'</a>",
    "l": [3, 1, 2], "nested": [1, [2, [3, []]], {"k": [None, True, 1.0]}], "el": [], "words": ["foo", "Bar", "baz", "Foo"],
    "d": {"b": 2, "a": 1, "C": 3}, "ed": {}, "deep": {"x": {"y": [{"z": "found"}]}},
    "keys": {"items": "shadow", "get": 5, "class": "c"},
    "users": [
        {"name": "bob", "age": 30, "city": "Rome", "tags": ["x"]}, {"name": "Alice", "age": 25, "city": "rome", "tags": []},
        {"name": "carol", "age": 30, "city": "Oslo"}, {"name": "dave", "age": None, "city": "Oslo", "tags": ["y", "z"]},
    ],
    "tree": [{"v": 1, "c": [{"v": 2, "c": []}, {"v": 3, "c": [{"v": 4, "c": []}]}]}, {"v": 5, "c": []}],
    "msgs": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yo"}, {"role": "user", "content": "Bye"}],
    "floats": [0.1, 1e16, 1e-5, 123456789.123456789, 1e22, -0.0, 1.5e300, 100.0, 1e15, 9007199254740993.0, 5e-324],
}

CASES = []


def add(text):
    for line in text.strip("\n").split("\n"):
        if line.strip():
            CASES.append(line.replace("⏎", "\n"))


# literals, numbers, arithmetic
add(r"""
{{ 1 }} {{ 1.0 }} {{ 1e3 }} {{ 1_000 }} {{ 0x1F }} {{ 0b101 }} {{ 0o17 }} {{ 1.5e-7 }} {{ 12345678901234567890123 }}
{{ "a" 'b' "c" }} {{ 'it\'s' }} {{ "tab\tnew\\line\x41\u00e9\101\q" }} {{ 'a\
b' }}
{{ true }} {{ True }} {{ false }} {{ none }} {{ None }} {{ [true, none] }}
{{ (1,) }} {{ () }} {{ (1, 2) }} {{ 1, 2 }} {{ [1, 'a', 2.0] }} {{ {'a': 1, 2: 'b', none: [1]} }}
{{ 7 // 2 }} {{ -7 // 2 }} {{ 7 // -2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 7 % -3 }} {{ -7 % -3 }}
{{ 7.5 // 2 }} {{ -7.5 // 2 }} {{ 7.5 % -2 }} {{ -7.5 % 2 }} {{ 0.0 // -3 }} {{ -0.0 % 3 }}
{{ 7 / 2 }} {{ 6 / 3 }} {{ 1 / 3 }} {{ 2 ** 10 }} {{ 2 ** -1 }} {{ 2 ** 0.5 }} {{ (-8) ** 3 }} {{ 2 ** 3 ** 2 }} {{ -2 ** 2 }}
{{ 0 ** 0 }} {{ 0.0 ** 0 }} {{ 10 ** 20 }} {{ 10 ** 20 // 3 }} {{ -(10 ** 20) // 7 }} {{ 10 ** 20 % -7 }} {{ big * big }} {{ big - big }}
{{ 9223372036854775807 + 1 }} {{ -9223372036854775808 - 1 }} {{ -9223372036854775808 // -1 }} {{ 3037000500 * 3037000500 }} {{ -(-9223372036854775808) }}
{{ 10 ** 400 / 10 ** 399 }} {{ 1 / 10 ** 30 }}
{{ 1 + true }} {{ true + true }} {{ -true }} {{ +true }} {{ true * 2.5 }} {{ not 1 }} {{ not not [] }}
{{ 0.1 + 0.2 }} {{ 1e16 }} {{ 1e15 }} {{ 1e-4 }} {{ 1e-5 }} {{ 123456789012345680.0 }} {{ 1e22 }} {{ 1e23 }} {{ 0.1 * 3 }}
{{ floats }}
{% for x in floats %}{{ x }} {{ x|tojson }} {% endfor %}
{{ 1e308 * 10 }} {{ -1e308 * 10 }} {{ 1e308 * 10 - 1e308 * 10 }}
{{ 1 / 0 }}
{{ 1 // 0 }}
{{ 1 % 0 }}
{{ 1.0 / 0 }}
{{ 1.0 // 0 }}
{{ 1.0 % 0 }}
{{ 0 ** -1 }}
{{ 0.0 ** -1 }}
{{ 10.0 ** 400 }}
{{ 10 ** 400 * 1.0 }}
{{ 1 + 'a' }}
{{ 'a' + 1 }}
{{ [] + () }}
{{ [1] + [2] + l }} {{ (1,) + (2, 3) }} {{ [1] * 3 }} {{ 2 * 'ab' }} {{ 'ab' * 0 }} {{ 'ab' * -1 }} {{ (0,) * 2 }} {{ true * 'x' }}
{{ none + 1 }}
{{ {} + {} }}
{{ -'a' }}
{{ -missing }}
{{ missing + 1 }}
{{ 1 + missing }}
{{ 'a' ~ 1 ~ none ~ true ~ [1, 'b'] ~ 1.0 ~ missing }} {{ 1 ~ 2 + 3 }} {{ 1 + 2 ~ 3 }} {{ 2 * 3 ~ 4 }}
{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 1 == 1.0 == true }} {{ 3 > 2 >= 2 != 1 }} {{ 1 < 2 > 0 }}
{{ 'a' < 'b' }} {{ 'Z' < 'a' }} {{ [1, 2] < [1, 3] }} {{ (1, 2) < (1, 2, 0) }} {{ 'é' > 'z' }} {{ '🙂' > '中' }}
{{ 1 == '1' }} {{ none == false }} {{ 0 == false }} {{ '' == missing }} {{ missing == nope }} {{ missing != none }} {{ [1] == (1,) }} {{ {'a': 1, 'b': 2} == {'b': 2, 'a': 1.0} }}
{{ 1 < 'a' }}
{{ none < 1 }}
{{ [1] < [none] }}
{{ {} < {} }}
{{ missing < 1 }}
{{ big > 1e19 }} {{ big == 12345678901234567890.0 }} {{ 2 ** 53 == 2.0 ** 53 }} {{ 2 ** 53 + 1 == 2.0 ** 53 }} {{ 2 ** 53 + 1 > 2.0 ** 53 }} {{ 1e400 > 10 ** 400 }}
{{ 1 in l }} {{ 9 in l }} {{ 9 not in l }} {{ 'ell' in s }} {{ '' in s }} {{ 'a' in d }} {{ 1 in d.values() }} {{ ('a', 1) in d.items() }} {{ 2 in (1, 2) }} {{ 1 in missing }} {{ 2 in range(3) }}
{{ 1 in 'abc' }}
{{ 'a' in 5 }}
{{ [] in d }}
{{ not 1 in l }} {{ not (1 in l) }} {{ 1 not in l and 2 in l }}
{{ 1 and 2 }} {{ 0 and 2 }} {{ '' or 'x' }} {{ none or 0 }} {{ 1 or nope.x }} {{ [] and nope.x }} {{ 1 and 2 or 3 }} {{ not 0 and 1 }}
{{ 'y' if t else 'n' }} {{ 'y' if no }}| {{ 'a' if no else 'b' if no else 'c' }} {{ ('x' if no) is defined }} {{ 1 if 0 if 0 else 1 else 2 }}
{{ ('x' if no).foo }}
{{ (1 if no) + 1 }}
{{ 1 if t else nope.x.y }} {{ [1, 2][0] if l else 0 }}
{{ l|length + 1 }} {{ -1|abs }} {{ (-1)|abs }} {{ 2 ** 2|length }}
{{ 'abc'|upper ~ 'd'|upper }} {{ 'a,b'.split(',')|join('-') }} {{ 1.5|round|int }}
{{ n.real }} {{ n.imag }} {{ n.numerator }} {{ n.bit_length() }} {{ 2.5.is_integer() }} {{ (2.0).is_integer() }}
""")

# strings
add(r"""
{{ s[0] }} {{ s[-1] }} {{ s[99] }}| {{ s[1:4] }} {{ s[::-1] }} {{ s[:-3] }} {{ s[-3:] }} {{ s[::2] }} {{ s[5:2] }}| {{ s[-100:3] }} {{ s[2:100] }}
{{ u[1] }} {{ u[-1] }} {{ u[0:5] }} {{ u[::-1] }} {{ u|length }} {{ u[12:14] }} {{ u[-3:-1] }}
{{ s[1:8:3] }} {{ s[8:1:-2] }} {{ l[::-1] }} {{ l[1:] }} {{ l[:-1] }} {{ (1,2,3)[1:] }} {{ range(10)[2:8:3] }} {{ range(10)[::-2] }}
{{ s[::0] }}
{{ s['a':] }}
{{ n[1:] }}
{{ d[1:2] }}
{{ missing[1:] }}
{{ s[1.0] }}|{{ s['upper']() }} {{ s.upper() }} {{ s.lower() }} {{ s.title() }} {{ s.swapcase() }} {{ s.capitalize() }} {{ u.upper() }} {{ u.title() }} {{ u.capitalize() }} {{ 'ΑΣ ΑΣΑ'.lower() }} {{ 'ﬁx ǆ'.title() }} {{ 'STRASSE ß'.casefold() }}
{{ "they're bill's friends from the UK".title() }} {{ 'a1b2 c-d_e'.title() }}
[{{ ws.strip() }}] [{{ ws.lstrip() }}] [{{ ws.rstrip() }}] [{{ 'xxhixx'.strip('x') }}] [{{ 'abcba'.strip('ab') }}] [{{ 'mississippi'.lstrip('ism') }}] [{{ 'x'.strip(none) }}] [{{ '\u00a0\u3000x\u2028'.strip() }}] [{{ 'éaé'.strip('é') }}]
{{ 'a b  c '.split() }} {{ 'a b  c '.split(' ') }} {{ 'a,b,c'.split(',', 1) }} {{ 'a b c d'.split(none, 2) }} {{ ''.split() }} {{ ''.split(',') }} {{ 'a--b'.split('--') }} {{ ' a  b c '.split(None, 1) }} {{ 'a,b,c'.split(',', maxsplit=1) }} {{ 'a,b'.split(sep=',') }}
{{ 'a b  c '.rsplit() }} {{ 'a,b,c'.rsplit(',', 1) }} {{ ' a b c '.rsplit(none, 1) }} {{ 'a b c'.rsplit(' ', 0) }} {{ 'x'.split('x', 0) }} {{ ' a '.split(none, 0) }} {{ ' a b '.rsplit(none, 0) }}
{{ 'a'.split('') }}
{{ 'a\nb\r\nc\rd\x0be\x0cf\u2028g\x85h\n'.splitlines() }} {{ 'a\nb\n'.splitlines(true) }} {{ ''.splitlines() }} {{ 'a\n\nb'.splitlines(keepends=true) }}
{{ s.startswith('He') }} {{ s.startswith(('x', 'H')) }} {{ s.startswith('W', 6) }} {{ s.endswith('ld') }} {{ s.endswith('o', 0, 5) }} {{ s.startswith('') }} {{ s.startswith('', 99) }} {{ s.endswith(()) }}
{{ s.startswith(1) }}
{{ s.startswith(['H']) }}
{{ s.find('o') }} {{ s.rfind('o') }} {{ s.find('zz') }} {{ s.find('o', 5) }} {{ s.find('o', 5, 6) }} {{ s.index('W') }} {{ s.count('l') }} {{ s.count('') }} {{ 'aaa'.count('aa') }} {{ u.find('🙂') }} {{ u.rfind('l') }} {{ s.find('', 99) }} {{ s.find('', 3) }} {{ s.count('o', 5) }} {{ s.find('o', -4) }}
{{ s.index('zz') }}
{{ s.replace('l', 'L') }} {{ s.replace('l', 'L', 1) }} {{ s.replace('', '-') }} {{ s.replace('o', '') }} {{ 'aaa'.replace('a', 'b', 0) }} {{ 'aaa'.replace('a', 'b', -1) }} {{ u.replace('', '.') }}
{{ s.replace('l') }}
{{ ','.join(['a', 'b']) }} {{ ''.join('abc') }} {{ '-'.join(d) }} {{ ', '.join(words|map('upper')) }} {{ 'x'.join([]) }}
{{ ','.join([1]) }}
{{ ','.join(5) }}
{{ 'a=b=c'.partition('=') }} {{ 'abc'.partition('=') }} {{ 'a=b=c'.rpartition('=') }} {{ 'abc'.rpartition('=') }} {{ 'abc'.removeprefix('ab') }} {{ 'abc'.removesuffix('bc') }} {{ 'abc'.removeprefix('x') }}
[{{ 'ab'.center(7) }}] [{{ 'abc'.center(6) }}] [{{ 'ab'.center(5, '*') }}] [{{ 'ab'.ljust(5, '.') }}] [{{ 'ab'.rjust(5) }}] [{{ '42'.zfill(5) }}] [{{ '-42'.zfill(5) }}] [{{ '+x'.zfill(4) }}] [{{ 'é'.rjust(3, '中') }}]
[{{ 'a\tb\tcc\td'.expandtabs() }}] [{{ 'a\tb'.expandtabs(4) }}] [{{ 'a\tb'.expandtabs(0) }}] [{{ 'ab\n\tc'.expandtabs(tabsize=2) }}]
{{ 'abc'.isalpha() }} {{ 'ab1'.isalnum() }} {{ '12'.isdigit() }} {{ '²'.isdigit() }} {{ '²'.isdecimal() }} {{ '½'.isnumeric() }} {{ '五'.isnumeric() }} {{ ' \t'.isspace() }} {{ ''.isalpha() }} {{ 'é'.isalpha() }} {{ 'aB'.islower() }} {{ 'ab1'.islower() }} {{ 'AB1'.isupper() }} {{ '1'.isupper() }} {{ 'Ab Cd'.istitle() }} {{ 'AB'.istitle() }} {{ 'a_1'.isidentifier() }} {{ '1a'.isidentifier() }} {{ 'a\n'.isprintable() }} {{ 'é 中'.isprintable() }} {{ 'é'.isascii() }}
{{ s.nope }}|{{ s.nope is defined }} {{ s.nope() }}
{{ s.upper(1) }}
{{ s.format }}{# a bound method prints an address #}{{ nope.x }}
{{ q }}|{{ [q] }}|{{ {'k': q} }}|{{ ["it's"] }} {{ ['say "hi"'] }} {{ ['a\\b'] }} {{ ['\x7f\xa0\xad\u2028🙂\u0301'] }}
{{ '%s is %d years, %5.2f|%-6s|%06d|%+d|%x|%X|%o|%e|%g|%%|%c|%r' % ('Bob', 42.9, 3.14159, 'ab', 42, 5, 255, 255, 8, 12345.678, 0.0001, 'z', 'q') }}
{{ '%(a)s-%(b)05d' % {'a': 'x', 'b': 7} }} {{ '%s' % [1] }} {{ '%s' % d }} {{ '%s %s' % ('a', (1, 2)) }} {{ '%s' % ((1, 2),) }} {{ 'x' % [] }} {{ 'x' % {} }} {{ '%5s|%-5s|%.2s' % ('a', 'b', 'xyz') }} {{ '%*d|%.*f' % (5, 42, 2, 3.14159) }} {{ '%#x %#o' % (255, 8) }} {{ '% d' % 5 }} {{ '%i' % true }} {{ '%s' % none }} {{ '%s' % missing }}| {{ '%a' % 'é🙂' }} {{ '%.3d' % 5 }} {{ '%010.3f' % -3.14159 }} {{ '%g %g %g %g' % (1e10, 1e-5, 123456789, 0.5) }} {{ '%G' % 1e-10 }} {{ '%.0f %.0f' % (0.5, 1.5) }} {{ '%s' % 1e20 }}
{{ '%d' % 'a' }}
{{ '%s %s' % 'a' }}
{{ '%s' % ('a', 'b') }}
{{ 'x' % 1 }}
{{ '%(a)s' % 1 }}
{{ '%(a)s' % {} }}
{{ '%y' % 1 }}
{{ '%' % 1 }}
{{ '{} {}'.format(1, 'a') }} {{ '{1} {0}'.format(1, 2) }} {{ '{a} {b.x} {c[0]} {d[k]}'.format(a=1, b={'x': 2}, c=[3], d={'k': 4}) }} {{ '{{}} {0!r} {0!s} {0!a}'.format('é') }} {{ '{:>5}|{:<5}|{:^5}|{:*^7}|{:5}|{:05d}|{:+d}|{:,}|{:_}|{:.2f}|{:.3}|{:x}|{:#x}|{:b}|{:o}|{:e}|{:%}|{:c}'.format('a', 'b', 'c', 'd', 'e', 42, 5, 1234567, 1234567, 3.14159, 'abcdef', 255, 255, 5, 8, 1234.5, 0.25, 65) }}
{{ '{:{}}|{:.{p}f}'.format('a', 5, 3.14159, p=2) }} {{ '{:g}|{:g}|{:G}|{:n}'.format(1e10, 0.1, 1e-10, 5) }} {{ '{:10.3f}|{:<10}|{:=+8}|{:08.2f}|{: d}'.format(3.14159, 42, 42, -3.14159, 5) }} {{ '{:,.2f}|{:010,}|{:.1%}|{:.0f}|{:#.0f}'.format(1234567.891, 1234567, 0.1234, 2.5, 2.0) }} {{ '{!r:>6}'.format('a') }} {{ '{:}'.format(none) }} {{ '{}'.format([1, 'a']) }} {{ '{:5}|{:5}'.format(true, 1.5) }} {{ '{:.3}|{:.10}|{:5.1}'.format(3.14159, 0.1, 123.456) }} {{ '{:X}|{:#b}|{:_x}|{:d}'.format(255, 5, 1048575, true) }}
{{ '{}'.format() }}
{{ '{0} {}'.format(1, 2) }}
{{ '{'.format(1) }}
{{ '}'.format(1) }}
{{ '{a}'.format(b=1) }}
{{ '{:d}'.format('a') }}
{{ '{:s}'.format(1) }}
{{ '{:.2}'.format(1) }}
{{ '{:5}'.format(none) }}
{{ '{!x}'.format(1) }}
{{ '{0.__class__}'.format('a') }}|{{ '{0.upper}'.format(d) }}|{{ '{a}'.format_map({'a': 1}) }}
{{ '{0.__class__.__mro__}'.format('a') }}
""")

# lists, dicts, attributes, undefined
add(r"""
{{ l[0] }} {{ l[-1] }} {{ l[9] }}|{{ l['0'] }}|{{ l.0 }} {{ l.1 + 1 }} {{ nested[1][1][0] }} {{ nested.2.k }} {{ (1, 2).0 }}
{{ l.count(1) }} {{ l.index(2) }} {{ (1, 2, 1).count(1) }} {{ l.copy() }} {{ [1, 2, 1].index(1, 1) }}
{{ l.index(99) }}
{{ l.append(4) }}
{{ l.append }}|{{ l.pop is defined }} {{ l.sort is callable }}
{{ l.pop() }}
{{ l.reverse() }}
{{ d.update({'x': 1}) }}
{{ d.pop('a') }}
{{ d.setdefault('z', 1) }}
{{ d.clear() }}
{{ d }} {{ d.a }} {{ d['a'] }} {{ d.nope }}| {{ d['nope'] }}| {{ d.get('a') }} {{ d.get('z') }} {{ d.get('z', 'dflt') }} {{ d.keys() }} {{ d.values() }} {{ d.items() }} {{ d.keys()|list }} {{ d.items()|list }} {{ d.copy() }}
{{ keys.items }}{{ nope.x }}
{{ keys['items'] }} {{ keys['get'] }} {{ keys.class }} {{ keys.items()|list|length }} {{ keys.get('get') }}
{{ deep.x.y[0].z }} {{ deep['x']['y'][0]['z'] }} {{ deep.x.nope }}|{{ deep.x.nope is defined }} {{ deep.x.y.0.z }}
{{ deep.nope.y }}
{{ deep.x.y[5].z }}
{{ nope.x }}
{{ nope['x'] }}
{{ nope() }}
{{ nope.x() }}
{{ s.nope.x }}
{{ n.x.y }}
{{ none.x.y }}
{{ none.x }}|{{ nope }}|{{ nope|length }}|{{ nope|list }}|{{ nope ~ 'x' }}|{% for x in nope %}a{% else %}empty{% endfor %}|{{ nope is defined }}|{{ nope == nope2 }}|{{ [nope] }}
{{ l[nope] }}|{{ d[nope] }}|{{ d[none] }}|{{ d[l] }}|{{ d[d] }}|{{ l[1.0] }}|{{ l[true] }}|{{ d[(1, 2)] }}
{{ {'a': 1}['a'] }} {{ {1: 'x', 1.0: 'y', true: 'z'} }} {{ {'k': 1, 'k': 2} }} {{ {(1, 2): 3}[(1, 2)] }} {{ {none: 1}[none] }} {{ {1.5: 'f'}[1.5] }}
{{ {[]: 1} }}
{{ {{}: 1} }}
{{ dict(a=1, b=2) }} {{ dict({'x': 1}, y=2) }} {{ dict([('a', 1), ['b', 2]]) }} {{ dict() }} {{ dict.fromkeys(['a', 'b'], 0) }} {{ {}.fromkeys('ab') }} {{ dict(**d) }}
{{ dict([1]) }}
{{ dict(['abc']) }}
{{ d == dict(d) }} {{ d is mapping }} {{ d.items() is mapping }} {{ d|length }} {{ d|list }} {{ d|first }} {{ d|last }}
{{ range(5)|list }} {{ range(2, 8, 3)|list }} {{ range(5, 0, -2)|list }} {{ range(3) }} {{ range(1, 5) }} {{ range(1, 5, 2) }} {{ range(5)[-1] }} {{ range(0)|list }} {{ range(3) == range(0, 3, 1) }} {{ range(5)|length }} {{ range(3).stop }}
{{ range(1000000) }}
{{ range(100000)|length }} {{ range(0, 10**9, 10**6)|length }}
{{ range(1, 2, 0) }}
{{ range('a') }}
{{ range() }}
{{ nested }} {{ nested|tojson }} {{ nested|string }} {{ [d, [d]] }} {{ (1, 'a', none, [()]) }} {{ [1.0, 1e100, -0.0] }}
{{ users|map(attribute='name')|list }} {{ users|map(attribute='tags.0')|list }} {{ users|map(attribute='tags', default=[])|list }} {{ users[0]|items|list }} {{ users|map('length')|list }} {{ users|map(attribute='name')|map('upper')|join(',') }}
{{ d.__class__ }}|{{ d.__class__ is defined }}|{{ d['__class__'] }}|{{ d|attr('__class__') }}|{{ ''.__class__ }}
{{ ''.__class__.__mro__ }}
{{ ''['__class__']['__mro__'] }}
{{ (''|attr('__class__')).x }}
{{ s|attr('upper') is callable }} {{ (s|attr('upper'))() }} {{ d|attr('a') is defined }} {{ s|attr('nope') is defined }}
{{ cycler.__init__.__globals__ }}
{{ joiner.__init__.__globals__.os.popen('id').read() }}
{{ namespace.__init__.__globals__ }}
{{ self.__init__.__globals__ }}
{{ range.__class__ }}{{ lipsum.__globals__ }}
{{ raise_exception.__globals__ }}{{ raise_exception.__globals__.x }}
""")

# filters
add(r"""
{{ -5|abs }} {{ (-5)|abs }} {{ (-2.5)|abs }} {{ true|abs }} {{ 'x'|default('d') }} {{ nope|default('d') }} {{ nope|d }}| {{ none|default('d') }} {{ none|default('d', true) }} {{ ''|d('e', boolean=true) }} {{ nope|default }}|
{{ 'a'|abs }}
{{ [1,2,3,4,5]|batch(2)|list }} {{ [1,2,3]|batch(2, 'x')|list }} {{ 'abcde'|batch(2)|map('join')|list }} {{ []|batch(3)|list }} {{ range(7)|slice(3)|list }} {{ range(7)|slice(3, 'x')|list }} {{ []|slice(2)|list }}
{{ [1]|slice(0)|list }}
{{ 'hELLO wORLD'|capitalize }} {{ 'hello-world foo(bar) [baz] <x>'|title }} {{ "it's a dog's"|title }} {{ s|upper }} {{ s|lower }} {{ 'é ß'|upper }} {{ 5|upper }} {{ none|lower }} {{ 'ÀB'|title }}
[{{ 'x'|center(5) }}] [{{ 'xy'|center(5) }}] [{{ 'x'|center|length }}] {{ 'a b  c'|wordcount }} {{ 'é-è 中文 a_b'|wordcount }} {{ ''|wordcount }}
{{ d|dictsort }} {{ d|dictsort(true) }} {{ d|dictsort(by='value') }} {{ d|dictsort(false, 'value', true) }} {{ {'B': 1, 'a': 2, 'C': 3}|dictsort }}
{{ d|dictsort(by='x') }}
{{ html|e }} {{ html|escape|escape }} {{ html|safe }} {{ html|safe|e }} {{ html|forceescape }} {{ html|e|forceescape }} {{ ('<a>'|safe) ~ '<b>' }} {{ ('<a>'|safe) + '<b>' }} {{ '<b>' + ('<a>'|safe) }} {{ ('<%s>'|safe) % '<x>' }} {{ ('<{}>'|safe).format('<x>') }} {{ ['<', '>'|safe]|join }} {{ ('a'|safe) * 3 }} {{ ['x'|safe] }} {{ 'x'|safe|tojson }} {{ ('<x>'|safe).replace('x', '<y>') }} {{ ('<x>'|e).upper() }} {{ '<p>'|e is escaped }} {{ '<p>' is escaped }}
{{ '<p>Hello <b>World</b> &amp; &eacute; <!-- c --> x</p>'|striptags }} {{ 'a < b > c'|striptags }} {{ 'a < b'|striptags }} {{ '  a \n b '|striptags }}
{{ {'class': 'a b', 'id': none, 'x': 1, 'q': '"'}|xmlattr }}| {{ {'a': 1}|xmlattr(false) }} {{ {}|xmlattr }}|
{{ {'a b': 1}|xmlattr }}
{{ 1000|filesizeformat }} {{ 1|filesizeformat }} {{ 0|filesizeformat }} {{ 999|filesizeformat }} {{ 1500000|filesizeformat }} {{ 1500000|filesizeformat(true) }} {{ 1024|filesizeformat(binary=true) }} {{ 1e30|filesizeformat }} {{ '2000'|filesizeformat }}
{{ l|first }} {{ l|last }} {{ s|first }} {{ s|last }} {{ []|first }}| {{ []|last }}| {{ ([]|first) is defined }} {{ range(3)|last }} {{ d.values()|first }}
{{ ([]|first).x }}
{{ 5|first }}
{{ (words|map('upper'))|last }}
{{ '3.7'|float }} {{ 'x'|float }} {{ 'x'|float(1.5) }} {{ 5|float }} {{ '1e3'|float }} {{ 'inf'|float }} {{ 'nan'|float }} {{ ' 2.5 '|float }} {{ true|float }} {{ none|float }} {{ [1]|float(9) }} {{ '1_0.5'|float }} {{ '1__0'|float }}
{{ '42'|int }} {{ '42.7'|int }} {{ 'x'|int }} {{ 'x'|int(-1) }} {{ 3.9|int }} {{ -3.9|int }} {{ '0x1A'|int(base=16) }} {{ '1A'|int(0, 16) }} {{ '0b11'|int(0, 2) }} {{ '0o17'|int(0, 0) }} {{ true|int }} {{ none|int }} {{ ' 12 '|int }} {{ '1_000'|int }} {{ '-5'|int }} {{ '+5'|int }} {{ '1e3'|int }} {{ ''|int }} {{ '٣'|int }} {{ 1e20|int }} {{ '12345678901234567890'|int }} {{ 'nan'|int(3) }} {{ 'inf'|int(4) }}
{{ nope|int }}
{{ '%s-%s'|format('a', 1) }} {{ '%(x)s'|format(x=5) }} {{ 'a'|format }}
{{ '%s'|format(1, x=2) }}
{% for c, us in users|groupby('city') %}{{ c }}:{{ us|map(attribute='name')|join('+') }};{% endfor %} {% for g in users|groupby('city', case_sensitive=true) %}{{ g.grouper }}={{ g.list|length }} {% endfor %} {{ users|groupby('zip', default='none')|length }} {{ users|groupby('city')|first|first }} {{ [(1, 'a'), (1, 'b'), (2, 'c')]|groupby(0) }}
{{ users|groupby('age')|list }}
[{{ 'a\nb\n\nc'|indent }}] [{{ 'a\nb'|indent(2, true) }}] [{{ 'a\n\nb'|indent(2, blank=true) }}] [{{ 'a\nb'|indent('>>') }}] [{{ 'a\n'|indent }}] [{{ ''|indent(3, true) }}] [{{ 'a\r\nb'|indent(1) }}]
{{ 5|indent }}
{{ l|join }} {{ l|join(',') }} {{ users|join('|', attribute='name') }} {{ 'abc'|join('-') }} {{ d|join(',') }} {{ [none, 1.0, true, nope]|join(' ') }} {{ []|join('x') }}| {{ l|join(0) }}
{{ 5|join }}
{{ s|length }} {{ l|count }} {{ d|length }} {{ u|length }} {{ nope|length }}
{{ 5|length }}
{{ none|length }}
{{ (l|map('string'))|length }}
{{ 'abc'|list }} {{ d|list }} {{ (1, 2)|list }} {{ range(3)|list }} {{ nope|list }}
{{ none|list }}
{{ ['a', 'b']|map('upper')|list }} {{ l|map('string')|list }} {{ [' a ']|map('trim')|list }} {{ words|map('replace', 'o', '0')|list }} {{ [1.5, 2.7]|map('round', method='floor')|list }} {{ [[1, 2], [3]]|map('sum')|list }} {{ []|map('upper')|list }} {{ nope|map('upper')|list }} {{ none|map('upper')|list }}
{{ l|map('nope')|list }}
{{ l|map()|list }}
{{ l|map(upper)|list }}
{{ l|map(attribute='x', foo=1)|list }}
{{ 5|map('upper')|list }}
{{ l|max }} {{ l|min }} {{ words|max }} {{ words|min }} {{ words|min(case_sensitive=true) }} {{ users|max(attribute='name') }} {{ []|max }}| {{ 'hello'|max }} {{ [1, 2.5, true]|max }}
{{ [1, 'a']|max }}
{{ users|max(attribute='age') }}
{{ {'b': [1, 2, 3], 'a': 'x' * 100, 'c': {'z': 1, 'y': ['long string number one', 'long string number two', 'long string three']}}|pprint }}
{{ d|pprint }} {{ 'short'|pprint }} {{ [1, 'a']|pprint }} {{ ('word ' * 30)|pprint }}
{{ l|reject('odd')|list }} {{ l|select('odd')|list }} {{ [0, 1, '', 'a', none]|select|list }} {{ [0, 1, '']|reject|list }} {{ l|select('gt', 1)|list }} {{ l|select('>=', 2)|list }} {{ l|select('in', [1, 2])|list }} {{ words|select('equalto', 'foo')|list }} {{ users|selectattr('age')|map(attribute='name')|list }} {{ users|selectattr('age', 'gt', 26)|list|length }}
{{ users|selectattr('age', 'none')|map(attribute='name')|list }} {{ users|rejectattr('tags', 'defined')|map(attribute='name')|list }} {{ users|selectattr('tags', 'defined')|list|length }} {{ msgs|selectattr('role', 'equalto', 'user')|map(attribute='content')|list }} {{ msgs|rejectattr('role', 'eq', 'user')|list }} {{ users|rejectattr('age')|map(attribute='name')|list }} {{ nope|select|list }} {{ users|selectattr('tags.0', 'eq', 'x')|list|length }}
{{ l|select('nope')|list }}
{{ []|select('nope')|list }} {{ l|selectattr|list }}
{{ s|replace('l', 'L') }} {{ s|replace('l', 'L', 2) }} {{ s|replace('', '.') }} {{ 123|replace(2, 'x') }} {{ s|replace('l', '', count=1) }} {{ html|replace('<', '&lt;') }}
{{ s|reverse }} {{ l|reverse|list }} {{ u|reverse }} {{ d|reverse|list }} {{ range(3)|reverse|list }} {{ (words|map('upper'))|reverse|list }} {{ (1, 2)|reverse|list }} {{ nope|reverse|list }}
{{ 5|reverse }}
{{ 2.5|round }} {{ 3.5|round }} {{ 2.567|round(2) }} {{ 2.567|round(1, 'floor') }} {{ 2.123|round(2, 'ceil') }} {{ 42|round }} {{ 42|round(-1) }} {{ 45|round(-1) }} {{ 55|round(-1) }} {{ 1234.5|round(-2) }} {{ -2.5|round }} {{ 2.675|round(2) }} {{ 1e20|round(2) }} {{ 0.5|round }} {{ 42|round(1, 'ceil') }} {{ 2.5|round(method='ceil')|int }} {{ true|round }}
{{ 2.5|round(method='x') }}
{{ 'a'|round }}
{{ l|sort }} {{ l|sort(true) }} {{ words|sort }} {{ words|sort(case_sensitive=true) }} {{ words|sort(reverse=true) }} {{ users|sort(attribute='name')|map(attribute='name')|list }} {{ users[:3]|sort(attribute='age,name')|map(attribute='name')|list }} {{ 'hello'|sort }} {{ d|sort }} {{ [[2, 1], [1, 2]]|sort(attribute=0) }} {{ [(1, 'b'), (1, 'a')]|sort }}
{{ [1, 'a']|sort }}
{{ [none, 1]|sort }}
{{ l|string }} {{ 5|string + 'x' }} {{ none|string }} {{ l|sum }} {{ [0.1, 0.2]|sum }} {{ []|sum }} {{ users[:3]|sum(attribute='age') }} {{ l|sum(start=10) }} {{ [[1], [2]]|sum(start=[]) }}
{{ words|sum }}
{{ ['a']|sum(start='') }}
{{ '  x '|trim }}| {{ 'xxaxx'|trim('x') }} {{ 5|trim }} {{ '\n\t x\u3000'|trim }}|
{{ 'foo bar baz qux'|truncate(9) }} {{ 'foo bar baz qux'|truncate(9, true) }} {{ 'foo bar baz qux'|truncate(11) }} {{ 'foo bar baz qux'|truncate(11, false, '...', 0) }} {{ 'abcdefghijklmnop'|truncate(8, leeway=0) }} {{ u|truncate(8, true, '…', 0) }} {{ 'short'|truncate }} {{ 'a b c d e f'|truncate(5, end='', leeway=0) }}
{{ 'abc'|truncate(2) }}
{{ words|unique|list }} {{ words|unique(true)|list }} {{ [1, 1.0, true, 2, '1']|unique|list }} {{ users|unique(attribute='city')|map(attribute='name')|list }}
{{ [[1], [1]]|unique|list }}
{{ 'a b/ü&c=1?'|urlencode }} {{ {'a': 1, 'b c': 'd&e'}|urlencode }} {{ [('x', 'y/z')]|urlencode }} {{ 5|urlencode }} {{ '~-_.'|urlencode }}
{{ 'visit https://example.com, or www.x.org/p?q=1 (see http://a.b.com/c) mail foo@bar.com and mailto:x@y.org'|urlize }} {{ 'http://example.com/a/long/path'|urlize(15, true, '_blank') }} {{ 'x.com y.info z.zz'|urlize(rel='me') }} {{ 'tel:123 ftp://x'|urlize(extra_schemes=['tel:', 'ftp://']) }}
{{ 'The quick brown fox jumps over the lazy dog'|wordwrap(10) }} {{ 'averyveryverylongword short'|wordwrap(8) }} {{ 'averyveryverylongword short'|wordwrap(8, false) }} {{ 'well-known and-so-on self--made'|wordwrap(7) }} {{ 'a b c d'|wordwrap(3, true, '|') }} {{ 'line one\nline two is longer'|wordwrap(10) }} {{ 'co-operate-now'|wordwrap(5, break_on_hyphens=false) }}
{{ 'a'|wordwrap(0) }}
{{ nested|tojson }} {{ d|tojson }} {{ u|tojson }} {{ q|tojson }} {{ html|tojson }} {{ (1, 2)|tojson }} {{ none|tojson }} {{ true|tojson }} {{ 1.0|tojson }} {{ big|tojson }} {{ {1: 2, none: 3, true: 4, 1.5: 5}|tojson }} {{ 1e400|tojson }} {{ '\u2028\x7f\x1f'|tojson }} {{ []|tojson }} {{ {}|tojson }}
{{ nested|tojson(indent=2) }} {{ {'a': [], 'b': {}, 'c': [[]]}|tojson(indent=4) }} {{ d|tojson(indent='--') }} {{ d|tojson(sort_keys=true) }} {{ d|tojson(separators=(',', ':')) }} {{ d|tojson(separators=[' , ', ' : '], indent=1) }} {{ u|tojson(ensure_ascii=true) }} {{ d|tojson(indent=0) }} {{ l|tojson(true) }} {{ l|tojson(indent=none) }}
{{ nope|tojson }}
{{ {(1, 2): 3}|tojson }}
{{ range(3)|tojson }}
{{ [d.items()]|tojson }}
{{ {1: 1, 'a': 2}|tojson(sort_keys=true) }}
{{ 'x'|nope }}
{{ 'x' is nope }}
{% if no %}{{ 'x'|nope }}{% endif %}ok
{% if t %}{{ 'x'|nope }}{% endif %}
{{ ('x'|nope) if no else 'fine' }} {{ 'upper' is filter }} {{ 'nope' is filter }} {{ 'odd' is test }} {{ 'nope' is test }}
{% if 'nope' is filter %}{{ 1|nope }}{% else %}none{% endif %}
{{ 'x'|upper|lower|replace('x', 'y') }} {{ 'x'|upper() }} {{ [3, 1]|sort|first }}
{{ 'x'|replace }}
{{ 'x'|replace('a', 'b', 1, 2) }}
{{ 'x'|trim(foo=1) }}
""")

# tests
add(r"""
{{ 3 is odd }} {{ 3 is even }} {{ 4 is divisibleby 2 }} {{ 4 is divisibleby(3) }} {{ -3 is odd }} {{ 2.0 is even }} {{ 3 is not odd }} {{ not 3 is odd }}
{{ 'a' is odd }}
{{ none is none }} {{ none is not none }} {{ nope is none }} {{ nope is undefined }} {{ n is defined }} {{ d.a is defined }} {{ d.z is not defined }} {{ nope is not defined and n is defined }}
{{ true is boolean }} {{ 1 is boolean }} {{ true is true }} {{ 1 is true }} {{ false is false }} {{ 0 is false }} {{ 1 is integer }} {{ true is integer }} {{ 1.0 is integer }} {{ 1.0 is float }} {{ 1 is float }} {{ 1 is number }} {{ true is number }} {{ 1.5 is number }} {{ '1' is number }} {{ big is integer }}
{{ 'a' is string }} {{ 1 is string }} {{ 'a'|safe is string }} {{ 'ab' is lower }} {{ 'AB' is upper }} {{ 'Ab' is lower }} {{ '1' is lower }} {{ 5 is upper }}
{{ l is sequence }} {{ s is sequence }} {{ d is sequence }} {{ 5 is sequence }} {{ range(2) is sequence }} {{ (1,) is sequence }} {{ d.keys() is sequence }} {{ l|map('upper') is sequence }} {{ none is sequence }} {{ nope is sequence }}
{{ l is iterable }} {{ s is iterable }} {{ 5 is iterable }} {{ none is iterable }} {{ nope is iterable }} {{ d is iterable }} {{ l|map('upper') is iterable }} {{ d.items() is iterable }} {{ range(1) is iterable }}
{{ d is mapping }} {{ l is mapping }} {{ nope is mapping }} {{ range is callable }} {{ s is callable }} {{ s.upper is callable }} {{ dict is callable }}
{{ none is sameas none }} {{ true is sameas true }} {{ 1 is sameas true }} {{ l is sameas l }} {{ [1] is sameas [1] }} {{ d is sameas(d) }} {{ no is sameas false }}
{{ 1 is eq 1 }} {{ 1 is equalto(2) }} {{ 1 is ne 2 }} {{ 2 is gt 1 }} {{ 2 is ge 2 }} {{ 1 is lt 2 }} {{ 2 is le(1) }} {{ 2 is greaterthan 1 }} {{ 1 is lessthan 2 }} {{ 1 is in [1, 2] }} {{ 'x' is in 'xyz' }} {{ 3 is not in l }} {{ 'a' is in d }}
{{ 1 is eq 1 and 2 is eq 2 }} {{ n is divisibleby 7 or no }} {{ (n is odd) ~ 'x' }} {{ n is odd if t else 5 }} {{ 'y' if n is odd else 'n' }} {{ l is iterable and l is not string }} {{ n is number + 1 }}
{{ n is odd is even }}
{{ n is }}
{{ n is gt }}
{{ l[0] is odd }} {{ d.a is odd }} {{ s.upper() is upper }} {{ l|length is odd }} {{ n is divisibleby l[0] }} {{ n is eq d.get('a') }} {{ 5 is gt -1 }}
""")

# statements and whitespace; ⏎ stands for a newline
add(r"""
{% if t %}a{% elif no %}b{% else %}c{% endif %}{% if no %}a{% elif t %}b{% else %}c{% endif %}{% if no %}a{% elif no %}b{% else %}c{% endif %}{% if no %}x{% endif %}
{% for x in l %}{{ loop.index }}/{{ loop.length }} {{ x }}{% if not loop.last %}, {% endif %}{% endfor %}
{% for x in 'abc' %}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.previtem }}{{ loop.nextitem }}{{ loop.depth }}{{ loop.depth0 }}{{ loop.cycle('x', 'y') }}{{ loop.changed(x) }} {% endfor %}
{% for x in [1, 1, 2] %}{{ loop.changed(x) }}{{ loop.changed(x, 1) }}{% endfor %}{% for x in l|map('string') %}{{ loop.last }}{{ loop.length }}{% endfor %}
{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}{% for k in d %}{{ k }}{% endfor %}{% for k, v in d|dictsort %}{{ k }}{{ v }}{% endfor %}{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}{% for a, b in ['xy', 'zw'] %}{{ b }}{{ a }}{% endfor %}
{% for a, b in [(1, 2, 3)] %}{% endfor %}
{% for a, b in [(1,)] %}{% endfor %}
{% for a, b in [1] %}{% endfor %}
{% for x in 5 %}{% endfor %}
{% for x in none %}{% endfor %}
{% for x in [] %}a{% else %}none{% endfor %}{% for x in l if x > 5 %}a{% else %}none{% endfor %}{% for x in l if x > 1 %}{{ loop.index }}:{{ x }}/{{ loop.length }} {% endfor %}{% for k, v in d.items() if v is odd %}{{ k }}{% endfor %}
{% for x in l %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% endfor %}|{% for x in l %}{% if x == 1 %}{% break %}{% endif %}{{ x }}{% else %}else{% endfor %}|{% for x in l %}{% break %}{% else %}else{% endfor %}|{% for x in l %}{% continue %}{% else %}else{% endfor %}
{% for x in l %}{% for y in 'ab' %}{% if y == 'b' %}{% break %}{% endif %}{{ x }}{{ y }}{{ loop.index }}{% endfor %}{{ loop.index }}{% endfor %}
{% break %}
{% for x in l %}{% macro m() %}{% break %}{% endmacro %}{% endfor %}
{% for i in tree recursive %}{{ i.v }}{% if i.c %}({{ loop(i.c) }}){% endif %}{{ loop.depth }}{% if not loop.last %},{% endif %}{% endfor %}
{% for i in tree recursive %}[{{ loop.depth0 }}:{{ i.v }}{{ loop(i.c) }}]{% else %}-{% endfor %}
{% for x in l %}{{ loop(l) }}{% endfor %}
{% for loop in l %}{% endfor %}
{% for x in l %}{% set loop = 1 %}{% endfor %}
{% for x, in l %}{% endfor %}
{% for x in l %}{% set y = x %}{% endfor %}{{ y }}|{% set y = 0 %}{% for x in l %}{% set y = y + x %}{{ y }}{% endfor %}{{ y }}
{% set ns = namespace(x=0, found=false) %}{% for x in l %}{% set ns.x = ns.x + x %}{% endfor %}{{ ns.x }}{{ ns.found }}{{ ns.nope }}|{{ ns }}{% set ns.y, ns.z = 1, 2 %}{{ ns.y }}{{ ns['z'] }}
{% set ns = namespace({'a': 1}, b=2) %}{{ ns.a }}{{ ns.b }}{{ ns }}{% set x, y = 1, 2 %}{{ x }}{{ y }}{% set (a, b) = [3, 4] %}{{ a }}{{ b }}{% set z = 1, 2 %}{{ z }}
{% set d.x = 1 %}
{% set nope.x = 1 %}
{% set ns = namespace() %}{% set ns._x = 1 %}
{{ namespace(_x=1) }}
{% set ns = namespace(items=1) %}{{ ns.items }}{{ ns.nope.x }}
{% set a, b = 1 %}
{% set a = 1 %}{% if t %}{% set a = 2 %}{% endif %}{{ a }}{% with a = 3, b = a %}{{ a }}{{ b }}{% set c = 9 %}{{ c }}{% endwith %}{{ a }}{{ c }}
{% with %}{% set q9 = 1 %}{{ q9 }}{% endwith %}{{ q9 }}|{% with x = 1 %}{% with y = x %}{{ x }}{{ y }}{% endwith %}{% endwith %}
{% set b %}x{{ n }}y{% endset %}[{{ b }}]{% set b | upper | replace('X', 'z') %}x{{ s }}{% endset %}[{{ b }}]{{ b|length }}{% set ns = namespace() %}{% set ns.t %}q{% endset %}{{ ns.t }}
{% filter upper %}a{{ s }}{% endfilter %}{% filter replace('a', 'b')|upper %}aXa{% endfilter %}{% filter trim %}  x  {% endfilter %}
{% for x in l %}{% filter upper %}a{% if x == 1 %}{% break %}{% endif %}{% endfilter %}{% endfor %}
{% macro m(a, b='B', c=none) %}[{{ a }}{{ b }}{{ c }}]{% endmacro %}{{ m() }}{{ m(1) }}{{ m(1, 2) }}{{ m(1, c=3) }}{{ m(b=2, a=1) }}{{ m(*[1, 2]) }}{{ m(**{'a': 5}) }}{{ m.name }}{{ m.arguments }}{{ m.catch_kwargs }}{{ m.caller }}
{% macro m(a) %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, 3, x=4) }}{{ m() }}{% macro v() %}{{ varargs|length }}{% endmacro %}{{ v(1, 2) }}{% macro k() %}{{ kwargs.x }}{% endmacro %}{{ k(x=7) }}
{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}
{% macro m(a) %}{% endmacro %}{{ m(x=2) }}
{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, a=2) }}
{% macro m(a, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}{{ m(1, 2) }}{% macro o(a=b, b=2) %}{{ a }}{{ b }}{% endmacro %}{{ o() }}{% set b = 9 %}{{ o() }}
{% macro m(a=1, b) %}{% endmacro %}
{% macro f(n) %}{{ n }}{% if n > 0 %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(5) }}
{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}
{% macro m() %}<{{ caller() }}>{% endmacro %}{% call m() %}body{{ n }}{% endcall %}{% macro w(x) %}{% for i in x %}{{ caller(i, loop.index) }}{% endfor %}{% endmacro %}{% call(a, b) w(l) %}{{ a }}-{{ b }};{% endcall %}
{% macro m() %}{{ caller is defined }}{{ caller }}{% endmacro %}{{ m() }}{% macro p(caller=none) %}{{ caller is none }}{% endmacro %}{{ p() }}
{% macro m() %}{{ caller() }}{% endmacro %}{{ m() }}
{% macro m() %}{% endmacro %}{% call m() %}x{% endcall %}
{% call m %}x{% endcall %}
{% call(x='d') dict.fromkeys %}{% endcall %}
{% macro m() %}{{ x9 }}{% endmacro %}{% set x9 = 1 %}{{ m() }}{% set x9 = 2 %}{{ m() }}{% macro n2() %}{{ n }}{% endmacro %}{{ n2() }}{% set n = 1 %}{{ n2() }}{{ n }}
{{ n }}{% macro m() %}{{ n }}{% endmacro %}{{ m() }}{% set n = 1 %}{{ m() }}
{% if no %}{% set n = 1 %}{% endif %}{{ n }}{% if t %}{% set s = 'x' %}{% endif %}{{ s }}{% for x in [1] %}{% if x == 2 %}{% set l = 5 %}{% endif %}{{ l }}{% endfor %}
{% for n in [1, 2] %}{{ n }}{% endfor %}{{ n }}{% for x in l %}{{ x }}{% endfor %}{{ x }}|{% for i in [1, 2] %}{% set q8 = (q8 or 0) + i %}{{ q8 }}{% endfor %}
{% generation %}a{{ n }}{% set inside = 1 %}{% endgeneration %}{{ inside }}|{% for m in msgs %}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{{ loop.index }}{% endgeneration %}{% endif %}{% endfor %}
{% for x in l %}{% generation %}{% break %}{% endgeneration %}{% endfor %}
{% raw %}{{ x }} {% if %}{# c #}{% endraw %}|{%- raw -%}  a  {%- endraw -%}  |{% raw %}⏎x⏎{% endraw %}⏎y
a{# comment #}b{#- c -#} c {# multi⏎line #}⏎d {#- x #} e
{% autoescape true %}{{ html }}{{ html|safe }}{{ '<' ~ html|safe }}{% set x = html %}{{ x }}{% set y %}<b>{{ html }}{% endset %}{{ y }}{{ ['<', 'a'|safe]|join('>') }}{% endautoescape %}{{ html }}
{% print 1, 'a' %}{% print s %}{% block b1 %}x{{ n }}{% set inb = 1 %}{% endblock %}{{ inb }}{% block b2 %}{% endblock b2 %}{{ self.b1() }}
{% set top = 5 %}{% block b %}{{ top }}{% for i in l %}{% block c scoped %}{{ i }}{% endblock %}{% endfor %}{% endblock %}{% for i in l %}{% block e %}{{ i }}{% endblock %}{% endfor %}
{% block a %}{% endblock %}{% block a %}{% endblock %}
{% block a %}{{ super() }}{% endblock %}
{% include 'x' %}
{% include 'x' ignore missing %}
{% import 'x' as y %}
{% from 'x' import y %}
{% extends 'x' %}
{% do l.append(1) %}
{% trans %}x{% endtrans %}
{{ raise_exception('boom ' ~ n) }}
{{ raise_exception() }}
{{ strftime_now('%Y-%m-%d %H:%M:%S %j %a %A %b %B %d %-d %e %I %p %y %% %U %W %w %u %V %G %F %T %D %R %n%t%c|%x|%X|%C|%h|%-m|%-H|%-I|%-M|%Z|%z|%f|%s') }}
{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }}{{ c.reset() }}{{ c.next() }}{% set j = joiner(', ') %}{% for x in l %}{{ j() }}{{ x }}{% endfor %}{% set k = joiner() %}{{ k() }}{{ k() }}
{{ cycler() }}
  {% if t %}⏎    x⏎  {% endif %}⏎y
  {%- if t %}⏎    x⏎  {%- endif %}⏎y
  {%+ if t %}⏎    x⏎  {%+ endif +%}⏎y
a  {% if t -%}  ⏎ x  {%- endif -%}  ⏎ y
a ⏎ {{- n -}} ⏎ b {{ n }}⏎{{ n }}⏎⏎c
x {% set a = 1 %} y⏎{% set a = 1 %}⏎{% set a = 1 +%}⏎z⏎   {# c #}⏎   {# c +#}⏎   {#+ c #} w
⏎⏎ {% if t %} ⏎ a {% endif %} ⏎⏎
{% if t %}⏎⏎a{% endif %}⏎⏎
a⏎
a⏎⏎
{{ 'a' }}⏎
{%- set a = 1 -%}⏎{{- a }}  {{ a -}}   x
{% for x in l -%}⏎  {{ x }}⏎{%- endfor %}|
  {% for x in l %}⏎  - {{ x }}⏎  {% endfor %}⏎end
	{% if t %}	tab{% endif %}	{% if t %}⏎	x{% endif %}
{{ '{{' }}{{ '%}' }}{{ "}}" }}{% set x = '%}' %}{{ x }}{{ {'a': {'b': 1}} }}{{ {'a': {}}}}
{{ 1 -}} {{- 2 }} {{ 3 - 1 }} {{-1}} {{- 1 }} {{ -1 }} {{ 1-1 }} {{+1}}
{% if t: %}x{% endif: %}y
{% if t: %}x{% endif %}y{% for x in l: %}{{ x }}{% endfor %}
{{ a b }}
{{ }}
{{ 1 + }}
{{ (1 }}
{{ [1, }}
{{ 1] }}
{{ {1} }}
{{ 'a }}
{{ ! }}
{{ a ! b }}
{{ a.1b }}
{{ a. }}
{{ a.'b' }}
{{ f(a=1, 2) }}
{{ f(*a, b) }}
{{ f(**a, *b) }}
{{ range(a=1, a=2) }}
{{ range(**{'a': 1}) }}
{% if %}{% endif %}
{% if t %}
{% for %}{% endfor %}
{% endif %}
{% if t %}{% endfor %}
{% for x in l %}{% if x %}{% endfor %}
{% unknown %}
{% set %}
{% set 1 = 2 %}
{% set none = 2 %}
{% set a.b.c = 2 %}
{% set a[0] = 2 %}
{% macro %}{% endmacro %}
{% macro m(1) %}{% endmacro %}
{% raw %}x
{# x
{{ x
{% x
{% block 1 %}{% endblock %}
{%%}
{{ '\u12' }}
{{ 1 if }}
{{ not }}
{{ a | }}
{{ a is not }}
{{ 1 2 }}
{{ x = 1 }}
{{ "a" "b" 'c' ~ "d" }} {{ a}}b}} {{ {} }} {{ [] }} {{ [1,] }} {{ {'a': 1,} }} {{ (1, 2,) }} {{ range(3,)|list }}
{{ [l[0], l[1:]] }} {{ l[1:][0] }} {{ (l + [4])[-1] }} {{ {'a': l}['a'][0] }} {{ 'abc'[1] ~ 'x' }} {{ 'a b'.split()[1] }} {{ d.items()|list|first|last }}
{{ l[1:2, 3] }}|{{ l[0, 1] }}
{{ caller }}{{ varargs }}{{ kwargs }}{{ loop }}{{ self is defined }}|{{ super is defined }}
{{ 1.0.real }}{{ 5 .real }}
{{ -l|first }} {{ -1 ** 2 }} {{ (2, 3)|sum * 2 }} {{ 1 + 2 * 3 - 4 / 2 }} {{ 10 - 2 - 3 }} {{ 2 * 3 % 4 }} {{ 7 // 2 * 2 }} {{ 100 / 10 / 2 }} {{ 'a' ~ 'b' * 2 }} {{ not t or t }} {{ 1 == 1 and 2 > 1 }} {{ 1 + 1 == 2 }} {{ 'a' in 'abc' == true }}
""")

# what only shows in longer templates
CASES += [
    "{%- macro render(node, depth=0) -%}\n{{ '  ' * depth }}- {{ node.v }}\n{% for c in node.c %}{{ render(c, depth + 1) }}{% endfor %}\n{%- endmacro -%}\n{% for t in tree %}{{ render(t) }}{% endfor %}",
    "{%- set ns = namespace(system='', count=0) -%}\n{%- for m in msgs -%}\n  {%- if m['role'] == 'user' -%}\n    {%- set ns.count = ns.count + 1 -%}\n  {%- endif -%}\n{%- endfor -%}\n{{- ns.count -}}\n",
    "{% for m in msgs %}\n    {% if loop.first %}\nFIRST\n    {% endif %}\n<|{{ m.role }}|>\n{{ m.content }}\n{% endfor %}\nend\n",
    "{% for m in msgs[::-1] %}{% set index = (msgs|length - 1) - loop.index0 %}{{ index }}{{ m.content }}{% endfor %}",
    "{% set x = 'a</think>b</think>c' %}{{ x.split('</think>')[-1].lstrip('\\n') }}{{ x.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') }}",
    "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}B{% endmacro %}{{ a() }}",
    "{% set outer = 1 %}{% macro m() %}{% set outer = 2 %}{{ outer }}{% endmacro %}{{ m() }}{{ outer }}",
    "{% for i in range(3) %}{% for j in range(i) %}{{ loop.index }}{{ loop.length }}{% endfor %}{{ loop.index }};{% endfor %}",
    "{% set l2 = [] %}{% for x in l %}{% set l2 = l2 + [x] %}{% endfor %}{{ l2 }}",
    "{% set gen = l|map('string') %}{{ gen|join }}{{ gen|join }}|{% if gen %}truthy{% endif %}",
    "{{ l|map('string') is defined }}{% set r = l|reverse %}{{ r|list }}{{ r|list }}",
    "{%- if tools is defined and tools is not none -%}T{%- else -%}no tools{%- endif -%}",
    "{% if msgs[0]['role'] == 'system' %}S{% set loop_messages = msgs[1:] %}{% else %}{% set loop_messages = msgs %}{% endif %}{% for m in loop_messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}{{ m['content'] | trim }}{% endfor %}",
    "line1\r\nline2\rline3{% if t %}\r\nx{% endif %}\r\n",
    "{{ 'a\r\nb'|length }}{{ 'a\\r\\nb'|length }}",
    "{{ 'unié' }}{{ '中' ~ '🙂' }}{% set ñ = 1 %}{{ ñ }}{{ 'a\\é' }}",
]
