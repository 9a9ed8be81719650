package cpu

import (
	"bufio"
	"bytes"
	"os"
	"strconv"
)

// hostMemory returns the bytes of memory that are free and that there are, within the control group's limit if any.
func hostMemory() (free, total int64) {
	info, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, 0
	}
	for lines := bufio.NewScanner(bytes.NewReader(info)); lines.Scan(); {
		f := bytes.Fields(lines.Bytes())
		if len(f) < 2 {
			continue
		}
		n, _ := strconv.ParseInt(string(f[1]), 10, 64)
		switch string(f[0]) {
		case "MemTotal:":
			total = n << 10
		case "MemAvailable:":
			free = n << 10
		}
	}
	limit, used := cgroupBytes("memory.max"), cgroupBytes("memory.current")
	if limit > 0 && limit < total {
		total, free = limit, min(free, limit-used)
	}
	return max(free, 0), total
}

// cgroupBytes reads one number of the control group that a container sees as its root; 0 if there is none.
func cgroupBytes(name string) int64 {
	text, err := os.ReadFile("/sys/fs/cgroup/" + name)
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64)
	return n
}
