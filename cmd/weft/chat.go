package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/weft-llm/weft"
)

type chatCmd struct {
	engineFlags
	samplingFlags
	System string `help:"System message to begin with."`
}

const chatHelp = "/system TEXT sets the system message, /reset forgets the conversation, /exit ends"

func (c *chatCmd) Run(a *app) error {
	m, err := c.open(a)
	if err != nil {
		return err
	}
	defer m.Close()
	fmt.Fprintln(a.stderr, chatHelp)
	s := session{app: a, model: m, params: c.params(), system: c.System}
	lines := bufio.NewScanner(a.stdin)
	lines.Buffer(nil, 1<<20)
	for s.prompt(); lines.Scan(); s.prompt() {
		if done, err := s.line(lines.Text()); done || err != nil {
			return err
		}
	}
	return lines.Err()
}

// session is a conversation in the terminal.
type session struct {
	*app
	model   *weft.Model
	params  weft.Params
	system  string
	history []weft.Message
}

func (s *session) prompt() { fmt.Fprint(s.stdout, "> ") }

// line takes one line of the user and reports whether the session is over.
func (s *session) line(text string) (done bool, err error) {
	switch command, rest, _ := strings.Cut(strings.TrimSpace(text), " "); {
	case command == "":
	case command == "/exit":
		return true, nil
	case command == "/reset":
		s.history = nil
	case command == "/system":
		s.system, s.history = strings.TrimSpace(rest), nil
	case strings.HasPrefix(command, "/"):
		fmt.Fprintln(s.stderr, chatHelp)
	default:
		return false, s.answer(text)
	}
	return false, nil
}

// answer streams the model's answer. A conversation that has grown too long is kept, and the user told.
func (s *session) answer(text string) error {
	messages := append(s.history, weft.Message{Role: "user", Content: text})
	all := messages
	if s.system != "" {
		all = append([]weft.Message{{Role: "system", Content: s.system}}, messages...)
	}
	var answer strings.Builder
	for piece, err := range s.model.ChatStream(s.ctx, all, s.params) {
		if errors.Is(err, context.Canceled) {
			return err
		}
		if err != nil {
			fmt.Fprintf(s.stderr, "%v\n/reset forgets the conversation\n", err)
			return nil
		}
		answer.WriteString(piece)
		fmt.Fprint(s.stdout, piece)
	}
	fmt.Fprintln(s.stdout)
	s.history = append(messages, weft.Message{Role: "assistant", Content: answer.String()})
	return nil
}
