#!/bin/bash
# Packs what checks and times weft's kernels on one Hopper GPU beside PyTorch's libraries: bench/hopper.sh [DIR], here; then
# OUT=results DIR/run.sh on the GPU machine, which needs the driver, and PyTorch for the peers. DIR is dist/hopper.
set -euo pipefail
cd "$(dirname "$0")/.."
to=${1:-dist/hopper}
export CGO_ENABLED=0 GOOS=linux GOARCH=amd64
mkdir -p "$to"
go build -trimpath -ldflags "-s -w -X main.version=$(git describe --tags --always --dirty)" -o "$to/weft" ./cmd/weft
for package in driver ptx backend/cuda; do
	go test -c -trimpath -ldflags "-s -w" -o "$to/$(basename $package).test" "./$package"
done
cp bench/peers/kernels.py "$to/"
cp bench/hopper_run.sh "$to/run.sh"
du -sh "$to"
