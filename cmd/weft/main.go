// Command weft serves large language models. See `weft --help`.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"github.com/pkg/profile"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/driver"
)

// version is set by build.sh.
var version = "dev"

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

type cli struct {
	Serve    serveCmd    `cmd:"" help:"Serve the OpenAI API."`
	Chat     chatCmd     `cmd:"" help:"Talk to a model in the terminal."`
	Generate generateCmd `cmd:"" help:"Continue a prompt."`
	Tokenize tokenizeCmd `cmd:"" help:"Turn lines of text into lines of token ids, or back."`
	Render   renderCmd   `cmd:"" help:"Print the prompt that a model's chat template makes of messages."`
	Inspect  inspectCmd  `cmd:"" help:"Show a model's architecture, tensors and memory."`
	Pull     pullCmd     `cmd:"" help:"Download a model of a Hub, or its newest revision."`
	List     listCmd     `cmd:"" help:"List the models in the Hugging Face cache."`
	Rm       rmCmd       `cmd:"" help:"Remove a model from the Hugging Face cache."`
	Doctor   doctorCmd   `cmd:"" help:"Check driver, GPUs and every kernel."`
	Bench    benchCmd    `cmd:"" help:"Measure throughput and latency."`
	Flags    flagsCmd    `cmd:"" hidden:"" help:"Print the flag reference as Markdown."`

	Profile string           `enum:"cpu,mem,trace," default:"" placeholder:"cpu|mem|trace" help:"Write a profile of the run to the working directory."`
	Version kong.VersionFlag `help:"Print the version."`
}

// app is what commands run with.
type app struct {
	ctx    context.Context // ends at the first SIGINT or SIGTERM
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	args   []string

	started time.Time                       // when main began
	backend func() (backend.Backend, error) // weft.Options.Backend; nil outside tests
	library func() (*driver.Library, error) // driver.Open; nil outside tests
}

func main() { os.Exit(execute(nil)) }

// execute runs the process's own command line.
func execute(open func() (backend.Backend, error)) int {
	started := time.Now()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal kills
	return run(&app{ctx: ctx, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, args: os.Args[1:], backend: open, started: started})
}

// usageError is bad usage that the parser could not see.
type usageError struct{ error }

// run parses and runs one command line and returns the exit code.
func run(a *app) int {
	var c cli
	exit := -1
	parser, err := kong.New(&c, kong.Name("weft"),
		kong.Description("weft serves large language models on NVIDIA GPUs with nothing installed but the driver, and on the CPU without a GPU."),
		kong.DefaultEnvars("WEFT"), kong.Vars{"version": "weft " + version},
		kong.Writers(a.stdout, a.stderr), kong.Exit(func(code int) { exit = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		panic("BUG: " + err.Error())
	}
	k, err := parser.Parse(a.args)
	if exit >= 0 { // --help and --version
		return exit
	}
	if err != nil {
		fmt.Fprintf(a.stderr, "weft: %v\n", err)
		return exitUsage
	}
	defer startProfile(c.Profile)()
	err = k.Run(a, parser)
	defer func() {
		if w, ok := a.stderr.(*sideWriter); ok {
			w.flush(logPatience)
		}
	}()
	var usage usageError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &usage):
		fmt.Fprintf(a.stderr, "weft: %v\n", err)
		return exitUsage
	case errors.Is(err, context.Canceled) && a.ctx.Err() != nil:
		return exitFailed
	}
	fmt.Fprintf(a.stderr, "weft: %v\n", err)
	return exitFailed
}

func startProfile(kind string) (stop func()) {
	modes := map[string]func(*profile.Profile){"cpu": profile.CPUProfile, "mem": profile.MemProfile, "trace": profile.TraceProfile}
	if kind == "" {
		return func() {}
	}
	return profile.Start(modes[kind], profile.ProfilePath("."), profile.NoShutdownHook).Stop
}
