package main

import (
	"archive/zip"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// compilerVersion names the compiler in the manifest: another one means that everything is built again. What NVRTC writes is
// for drivers of CUDA 12.0 on; the assembler is a later one, as its machine code is faster (decode attention by 2 %, prefill
// attention by 4 %), and runs on every driver of CUDA 12 all the same (CUDA Compatibility, minor versions).
const compilerVersion = "nvrtc-12.4.127,ptxas-12.9.86"

// requirements pins the compiler by content; pip refuses any other file.
const requirements = `nvidia-cuda-nvrtc-cu12==12.4.127 --hash=sha256:a178759ebb095827bd30ef56598ec182b85547f1508941a3d560eb7ea1fbf338
nvidia-cuda-runtime-cu12==12.4.127 --hash=sha256:64403288fa2136ee8e467cdc9c9427e0434110899d07c779f25b5c068934faa5
nvidia-cuda-nvcc-cu12==12.9.86 --hash=sha256:5d6a0d32fdc7ea39917c20065614ae93add6f577d840233237ff08e9a38f58f0
`

// toolchain is where the unpacked compiler lies.
type toolchain struct {
	nvrtc, include, ptxas string
}

// fetchTools unpacks the pinned wheels below dir, downloading them when they are not there.
func fetchTools(dir string) (toolchain, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return toolchain{}, err
	}
	nvidia := filepath.Join(dir, "nvidia")
	t := toolchain{
		nvrtc:   filepath.Join(nvidia, "cuda_nvrtc", "lib", "libnvrtc.so.12"),
		include: filepath.Join(nvidia, "cuda_runtime", "include"),
		ptxas:   filepath.Join(nvidia, "cuda_nvcc", "bin", "ptxas"),
	}
	done := filepath.Join(dir, compilerVersion)
	if _, err := os.Stat(done); err == nil {
		return t, nil
	}
	if err := download(dir); err != nil {
		return t, err
	}
	wheels, _ := filepath.Glob(filepath.Join(dir, "*.whl"))
	for _, w := range wheels {
		if err := unpack(w, dir); err != nil {
			return t, fmt.Errorf("cannot unpack %s: %w", filepath.Base(w), err)
		}
	}
	return t, os.WriteFile(done, nil, 0o644)
}

func download(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	list := filepath.Join(dir, "requirements.txt")
	if err := os.WriteFile(list, []byte(requirements), 0o644); err != nil {
		return err
	}
	pip := exec.Command("python3", "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:",
		"--require-hashes", "--python-version", "3.11", "--platform", "manylinux2014_x86_64", "-d", dir, "-r", list)
	pip.Stdout, pip.Stderr = os.Stderr, os.Stderr
	if err := pip.Run(); err != nil {
		return fmt.Errorf("cannot download the kernel compiler (python3 -m pip is needed): %w", err)
	}
	return nil
}

// unpack extracts what a build needs from a wheel: headers, libraries and ptxas.
func unpack(wheel, dir string) error {
	z, err := zip.OpenReader(wheel)
	if err != nil {
		return err
	}
	defer z.Close()
	for _, f := range z.File {
		if f.FileInfo().IsDir() || !strings.HasPrefix(f.Name, "nvidia/") || !filepath.IsLocal(f.Name) {
			continue
		}
		if err := extract(f, filepath.Join(dir, f.Name)); err != nil {
			return err
		}
	}
	return nil
}

func extract(f *zip.File, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	in, err := f.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}
