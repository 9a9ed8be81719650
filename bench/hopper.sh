#!/bin/bash
# Checks and times the linear kernels of sm_90a on one Hopper GPU: bench/hopper.sh pack, here; then on the GPU machine
# OUT=results dist/hopper/run.sh, which needs the driver, and PyTorch for the peers.
set -euo pipefail
cd "$(dirname "$0")/.."
to=${1:-dist/hopper}
mkdir -p "$to"
CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o "$to/kernelbench" ./tools/kernelbench
CGO_ENABLED=0 go test -c -trimpath -ldflags "-s -w" -o "$to/ptx.test" ./ptx
CGO_ENABLED=0 go test -c -trimpath -ldflags "-s -w" -o "$to/driver.test" ./driver
"$to/kernelbench" -list -m 1,16,64,256,512,2048,8192 >"$to/cases.csv"
cp bench/peers/linear.py bench/hopper_run.sh "$to/"
mkdir -p "$to/gen" && cp ptx/gen/sm_90a/*.ptx "$to/gen/"
du -sh "$to"
