package jinja

import (
	"html"
	"regexp"
	"sort"
	"strings"
	"unicode/utf8"
)

// filterStripTags drops tags and comments, folds white space and resolves entities.
func filterStripTags(st *state, v Value, a *args) Value {
	a.bind("striptags", 0)
	s := st.display(v)
	st.bytes(4 * len(s))
	var b strings.Builder
	for {
		open := strings.IndexByte(s, '<')
		if open < 0 {
			break
		}
		from, mark := open+1, ">"
		if strings.HasPrefix(s[open:], "<!--") {
			from, mark = open+4, "-->"
		}
		end := strings.Index(s[from:], mark)
		if end < 0 {
			break
		}
		b.WriteString(s[:open])
		s = s[from+end+len(mark):]
	}
	b.WriteString(s)
	return String(html.UnescapeString(strings.Join(strings.FieldsFunc(b.String(), isSpace), " ")))
}

var (
	urlPattern = regexp.MustCompile(`(?i)^((https?://|www\.)(([\pL\pN_%-]+\.)+)?([a-z]{2,63}|xn--[\pL\pN_%]{2,59})|` +
		`([\pL\pN_%-]{2,63}\.)+(com|net|int|edu|gov|org|info|mil)|` +
		`(https?://)((([\d]{1,3})(\.[\d]{1,3}){3})|(\[([\da-f]{0,4}:){2}([\da-f]{0,4}:?){1,6}\])))` +
		`(?::[\d]{1,5})?(?:[/?#]\S*)?$`)
	emailPattern  = regexp.MustCompile(`^\S+@[\pL\pN_][\pL\pN_.-]*\.[\pL\pN_]+$`)
	schemePattern = regexp.MustCompile(`^([\pL\pN_.+-]{2,}:(/){0,2})$`)
	urlHead       = regexp.MustCompile(`^([(<]|&lt;)+`)
	urlTail       = regexp.MustCompile(`([)>.,\n]|&gt;)+$`)
)

// filterURLize makes links out of what looks like one.
func filterURLize(st *state, v Value, a *args) Value {
	b := a.bind("urlize", 0, "trim_url_limit", "nofollow", "target", "rel", "extra_schemes")
	u := &urlizer{trim: -1}
	if !isNone(b[0]) {
		u.trim = needInt(b[0])
	}
	rel := map[string]bool{"noopener": true}
	if !isNone(b[3]) {
		for _, r := range strings.FieldsFunc(needText("rel", b[3]), isSpace) {
			rel[r] = true
		}
	}
	if option(b[1]) {
		rel["nofollow"] = true
	}
	var names []string
	for r := range rel {
		names = append(names, r)
	}
	sort.Strings(names)
	u.attrs = ` rel="` + htmlEscapes.Replace(strings.Join(names, " ")) + `"`
	if !isNone(b[2]) && truth(b[2]) {
		u.attrs += ` target="` + string(st.escape(b[2])) + `"`
	}
	if !isNone(b[4]) {
		for _, s := range st.all(b[4]) {
			scheme := needText("scheme", s)
			if !schemePattern.MatchString(scheme) {
				raise("FilterArgumentError", "%s is not a valid URI scheme prefix.", quote(scheme))
			}
			u.schemes = append(u.schemes, scheme)
		}
	}
	var out strings.Builder
	s := string(st.escape(v))
	for s != "" {
		n := strings.IndexFunc(s, isSpace)
		if n < 0 {
			n = len(s)
		}
		st.step(1 + n*n/bytesPerStep/bytesPerStep) // balancing brackets takes the square
		word := u.word(s[:n])
		n2 := n + spaces(s[n:])
		st.grow(out.Len(), len(word)+n2-n)
		out.WriteString(word + s[n:n2])
		s = s[n2:]
	}
	return st.marked(out.String())
}

type urlizer struct {
	trim    int
	attrs   string
	schemes []string
}

func (u *urlizer) link(href, show string) string {
	if u.trim >= 0 && utf8.RuneCountInString(show) > u.trim {
		show = string([]rune(show)[:u.trim]) + "..."
	}
	return `<a href="` + href + `"` + u.attrs + `>` + show + `</a>`
}

func (u *urlizer) word(w string) string {
	head := urlHead.FindString(w)
	middle := w[len(head):]
	tail := urlTail.FindString(middle)
	middle = middle[:len(middle)-len(tail)]
	for _, pair := range [][2]string{{"(", ")"}, {"<", ">"}, {"&lt;", "&gt;"}} {
		open := strings.Count(middle, pair[0])
		if open <= strings.Count(middle, pair[1]) {
			continue
		}
		for n := min(open, strings.Count(tail, pair[1])); n > 0; n-- {
			end := strings.Index(tail, pair[1]) + len(pair[1])
			middle, tail = middle+tail[:end], tail[end:]
		}
	}
	return head + u.linked(middle) + tail
}

func (u *urlizer) linked(s string) string {
	switch {
	case urlPattern.MatchString(s):
		if strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") {
			return u.link(s, s)
		}
		return u.link("https://"+s, s)
	case strings.HasPrefix(s, "mailto:") && emailPattern.MatchString(s[7:]):
		return `<a href="` + s + `">` + s[7:] + `</a>`
	case strings.Contains(s, "@") && !strings.HasPrefix(s, "www.") && s[0] != '@' && !strings.Contains(s, ":") && emailPattern.MatchString(s):
		return `<a href="mailto:` + s + `">` + s + `</a>`
	}
	for _, scheme := range u.schemes {
		if s != scheme && strings.HasPrefix(s, scheme) {
			s = `<a href="` + s + `"` + u.attrs + `>` + s + `</a>`
		}
	}
	return s
}
