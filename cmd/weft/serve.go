package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime/pprof"
	"strconv"
	"time"

	"github.com/lmittmann/tint"

	"github.com/weft-llm/weft"
	"github.com/weft-llm/weft/engine"
	"github.com/weft-llm/weft/server"
)

type serveCmd struct {
	engineFlags
	Host         string        `default:"127.0.0.1" help:"Address to listen on. 0.0.0.0: all; set --api-key then."`
	Port         int           `default:"8000" help:"Port to listen on; 0 picks a free one."`
	APIKey       string        `name:"api-key" placeholder:"KEY" help:"Ask for this bearer token on every endpoint but /health."`
	ServedName   []string      `placeholder:"NAME" help:"Names that clients may call the model by. Default: the file's."`
	AllowHost    []string      `placeholder:"HOST" help:"Names that requests may use as Host; * allows all. Default: those of the loopback, when only it is listened on."`
	AllowOrigin  []string      `placeholder:"ORIGIN" help:"Web origins that may call from a browser; * allows all."`
	DrainTimeout time.Duration `default:"30s" help:"After SIGTERM, how long running requests may go on."`
	QueueTimeout time.Duration `default:"60s" help:"Longest wait of a request in the queue."`
	LogFormat    string        `enum:"auto,text,json" default:"auto" help:"auto: text on a terminal, else json."`
}

func (c *serveCmd) Run(a *app) error {
	terminal := isTerminal(a.stderr)
	listener, err := net.Listen("tcp", net.JoinHostPort(c.Host, strconv.Itoa(c.Port)))
	if err != nil {
		return fmt.Errorf("cannot listen: %w", err)
	}
	defer listener.Close()
	m, err := c.open(a)
	if err != nil {
		return err
	}
	defer func() {
		if m.Engine().Err() == nil { // a broken device may not answer: the process's end frees it
			m.Close()
		}
	}()
	text := c.LogFormat == "text" || c.LogFormat == "auto" && terminal
	a.stderr = newSideWriter(a.stderr, dropNote(text)) // nobody who stops reading our log stops a request
	fmt.Fprintf(a.stderr, "weft: listening on http://%s\n", listener.Addr())
	o := server.Options{APIKey: c.APIKey, Hosts: c.AllowHost, Origins: c.AllowOrigin, Logger: newLogger(a.stderr, text, terminal)}
	o.Limits.Wait = c.QueueTimeout
	if len(c.ServedName) > 0 {
		o.Model.Name, o.Model.Aliases = c.ServedName[0], c.ServedName[1:]
	}
	s, err := m.Server(o)
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-m.Engine().Done():
		writeFailure(a.stderr, m)
		time.Sleep(failureNotice)
		return cmp.Or(m.Engine().Err(), errors.New("the engine stopped"))
	case <-a.ctx.Done():
		err := c.drain(s, m.Engine())
		writeFailure(a.stderr, m)
		return err
	}
}

// failureNotice is how long the server still tells its clients that the device failed, before the process ends.
const failureNotice = time.Second

// drain lets what runs finish; what is left after the timeout is cut.
func (c *serveCmd) drain(s *server.Server, e *engine.Engine) error {
	ctx, stop := context.WithTimeout(context.Background(), c.DrainTimeout)
	defer stop()
	return errors.Join(s.Drain(ctx), e.Close())
}

// writeFailure writes the dump of a device that failed, and for one that hangs what every goroutine does.
func writeFailure(w io.Writer, m *weft.Model) {
	_ = m.WriteFailure(w) // a side writer never fails
	if errors.Is(m.Engine().Err(), engine.ErrStalled) {
		_ = pprof.Lookup("goroutine").WriteTo(w, 2)
	}
}

func newLogger(w io.Writer, text, terminal bool) *slog.Logger {
	if text {
		return slog.New(tint.NewHandler(w, &tint.Options{NoColor: !terminal, TimeFormat: time.TimeOnly}))
	}
	return slog.New(slog.NewJSONHandler(w, nil))
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}
