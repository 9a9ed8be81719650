package driver

import "fmt"

// XidCatalog is where NVIDIA says what the numbers mean that the kernel's log gives after "NVRM: Xid".
const XidCatalog = "https://docs.nvidia.com/deploy/xid-errors/analyzing-xid-catalog.html"

// Fault is what usually stands behind a code that loses the context.
type Fault struct {
	Meaning string
	Xids    []int  // that the kernel's log may show for it, the likeliest first
	Action  string // what to do about it
}

// What to do, by who is to blame.
const (
	blameKernel = "Start weft again. If it comes back with the same requests, a kernel of weft is wrong: report it with this dump. " +
		"If it stays with one GPU, test that GPU's memory."
	blameMemory = "Start weft again on another GPU. Reset this one (nvidia-smi --gpu-reset) before it is used again; " +
		"when errors return after the reset, have it replaced."
	blameLink   = "Check the links (nvidia-smi nvlink -e) and the fabric manager; reset the GPUs of this machine. When it returns, have the link's hardware looked at."
	blameHang   = "Start weft again. When the GPU does not come back, reset it (nvidia-smi --gpu-reset), or reboot: its firmware may hang, or it has fallen off the bus."
	blameNobody = "Start weft again. Look into the kernel's log for what ended the context."
)

var faults = map[Result]Fault{
	ECCUncorrectable:    {"memory of the GPU gave back what was not written to it, beyond what ECC corrects", []int{48, 95, 94, 63, 64}, blameMemory},
	Contained:           {"memory of the GPU failed, and only this program is touched", []int{94, 63, 64}, blameMemory},
	NVLinkUncorrectable: {"an NVLink failed", []int{74, 145, 149}, blameLink},
	IllegalAddress:      {"a kernel read or wrote memory that is not mapped", []int{31, 13}, blameKernel},
	LaunchTimeout:       {"a kernel ran longer than the display's watchdog allows", []int{8, 109}, blameHang},
	ContextIsDestroyed:  {"the context was destroyed", []int{45}, blameNobody},
	Assert:              {"a kernel's assertion failed", []int{43}, blameKernel},
	HardwareStackError:  {"a kernel's call stack was damaged or overflowed", []int{13}, blameKernel},
	IllegalInstruction:  {"a kernel ran into an instruction that does not exist", []int{13}, blameKernel},
	MisalignedAddress:   {"a kernel used an address that is not a multiple of the access's size", []int{13}, blameKernel},
	InvalidAddressSpace: {"a kernel used an address in a kind of memory that the instruction cannot reach", []int{13}, blameKernel},
	InvalidPC:           {"a kernel jumped to where no code is", []int{13}, blameKernel},
	LaunchFailed:        {"a kernel failed in a way that has no code of its own", []int{13, 31, 43, 45, 48}, blameKernel},
	TensorMemoryLeak:    {"a kernel ended without giving back its tensor memory", []int{13}, blameKernel},
	Deinitialized:       {"the driver shuts down", []int{45}, blameNobody},
	Unknown:             {"the driver has no name for what happened", []int{79, 119, 120}, blameHang},
}

// Fault says what usually stands behind r; ok is false for codes that are no fault of a GPU.
func (r Result) Fault() (f Fault, ok bool) {
	f, ok = faults[r]
	return f, ok
}

// Hang is the Fault of a GPU that does not answer, for which there is no code.
func Hang() Fault { return Fault{"the GPU does not answer", []int{119, 120, 79, 109, 8}, blameHang} }

func (f Fault) String() string {
	return fmt.Sprintf("%s. The kernel's log (dmesg | grep Xid) likely shows Xid %s: see %s. %s", f.Meaning, list(f.Xids), XidCatalog, f.Action)
}

// list writes "13, 31 or 43".
func list(n []int) string {
	text := ""
	for i, x := range n {
		switch {
		case i > 0 && i == len(n)-1:
			text += " or "
		case i > 0:
			text += ", "
		}
		text += fmt.Sprint(x)
	}
	return text
}
