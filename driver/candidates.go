package driver

import (
	"os"
	"runtime"
)

// candidates are the places of libcuda, in the order of trial.
func candidates() []string {
	if path := os.Getenv("WEFT_LIBCUDA"); path != "" {
		return []string{path}
	}
	if runtime.GOOS == "windows" {
		return []string{"nvcuda.dll"}
	}
	machine := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH] + "-linux-gnu"
	return []string{
		"libcuda.so.1",                                 // what the loader finds
		"/usr/lib/wsl/lib/libcuda.so.1",                // Windows Subsystem for Linux
		"/usr/lib/" + machine + "/nvidia/libcuda.so.1", // Jetson, L4T 36 and later
		"/usr/lib/" + machine + "/tegra/libcuda.so.1",  // Jetson, L4T 35 and earlier
		"/usr/lib/" + machine + "/libcuda.so.1",        // Debian, Ubuntu
		"/usr/lib64/libcuda.so.1",                      // Fedora, RHEL
		"/usr/local/nvidia/lib64/libcuda.so.1",         // Kubernetes device plugins
		"/run/opengl-driver/lib/libcuda.so.1",          // NixOS
	}
}
