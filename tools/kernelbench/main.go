// Command kernelbench times the GPU kernels: go run ./tools/kernelbench [-variants] [-m 1,64] [-peers linear_peers.csv] [-out .].
// With -list it prints the cases, which bench/peers/linear.py reads.
package main

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/weft-llm/weft/bench/kernels"
)

func main() {
	var o kernels.Options
	list := flag.Bool("list", false, "print the cases as CSV and end")
	flag.StringVar(&o.Out, "out", ".", "folder for linear.csv")
	flag.StringVar(&o.Peers, "peers", "", "CSV of bench/peers/linear.py to compare with")
	flag.BoolVar(&o.Variants, "variants", false, "time every kernel that runs a shape, not the chosen one alone")
	flag.StringVar(&o.Only, "only", "", "time the cases whose name contains this")
	flag.Func("m", "time the cases of these numbers of tokens, such as 1,64", func(s string) error {
		for f := range strings.SplitSeq(s, ",") {
			m, err := strconv.Atoi(f)
			if err != nil {
				return err
			}
			o.Sizes = append(o.Sizes, m)
		}
		return nil
	})
	flag.Parse()
	var err error
	if *list {
		err = kernels.List(os.Stdout, o)
	} else {
		err = kernels.Linear(o, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "kernelbench:", err)
		os.Exit(1)
	}
}
