package driver

import "fmt"

// Result is a driver status code (CUresult). Every code but Success is an error.
type Result uint32

// The codes that callers tell apart; resultNames has all of them. Values are those of cuda.h.
const (
	Success                  Result = 0
	InvalidValue             Result = 1
	OutOfMemory              Result = 2
	NotInitialized           Result = 3
	Deinitialized            Result = 4
	StubLibrary              Result = 34
	DeviceUnavailable        Result = 46
	NoDevice                 Result = 100
	InvalidDevice            Result = 101
	InvalidImage             Result = 200
	InvalidContext           Result = 201
	NoBinaryForGPU           Result = 209
	ECCUncorrectable         Result = 214
	PeerAccessUnsupported    Result = 217
	InvalidPTX               Result = 218
	NVLinkUncorrectable      Result = 220
	UnsupportedPTXVersion    Result = 222
	Contained                Result = 226
	OperatingSystem          Result = 304
	InvalidHandle            Result = 400
	NotFound                 Result = 500
	NotReady                 Result = 600
	IllegalAddress           Result = 700
	LaunchOutOfResources     Result = 701
	LaunchTimeout            Result = 702
	PeerAccessAlreadyEnabled Result = 704
	ContextIsDestroyed       Result = 709
	Assert                   Result = 710
	HardwareStackError       Result = 714
	IllegalInstruction       Result = 715
	MisalignedAddress        Result = 716
	InvalidAddressSpace      Result = 717
	InvalidPC                Result = 718
	LaunchFailed             Result = 719
	TensorMemoryLeak         Result = 721
	NotPermitted             Result = 800
	NotSupported             Result = 801
	SystemNotReady           Result = 802
	SystemDriverMismatch     Result = 803
	StreamCaptureUnsupported Result = 900
	StreamCaptureInvalidated Result = 901
	StreamCaptureUnmatched   Result = 903
	StreamCaptureUnjoined    Result = 904
	StreamCaptureIsolation   Result = 905
	StreamCaptureImplicit    Result = 906
	StreamCaptureWrongThread Result = 908
	GraphExecUpdateFailure   Result = 910
	InvalidClusterSize       Result = 912
	Unknown                  Result = 999
)

// Error is the name of cuda.h and the number: "CUDA_ERROR_OUT_OF_MEMORY (2)".
func (r Result) Error() string {
	if r == Success {
		return "CUDA_SUCCESS (0)"
	}
	name, known := resultNames[r]
	if !known {
		name = "UNNAMED"
	}
	return fmt.Sprintf("CUDA_ERROR_%s (%d)", name, uint32(r))
}

// Sticky says whether the context is lost: every later call in it returns the same code, and what was computed
// since the last sync cannot be trusted. Only ending the process releases the device.
func (r Result) Sticky() bool {
	switch r {
	case ECCUncorrectable, NVLinkUncorrectable, Contained, IllegalAddress, LaunchTimeout, ContextIsDestroyed, Assert,
		HardwareStackError, IllegalInstruction, MisalignedAddress, InvalidAddressSpace, InvalidPC, LaunchFailed,
		TensorMemoryLeak, Deinitialized:
		return true
	}
	return false
}

// resultNames has the documented codes, without the prefix CUDA_ERROR_ (cuda.h of CUDA 12.4, with the two that 12.8 added).
var resultNames = map[Result]string{
	1:   "INVALID_VALUE",
	2:   "OUT_OF_MEMORY",
	3:   "NOT_INITIALIZED",
	4:   "DEINITIALIZED",
	5:   "PROFILER_DISABLED",
	6:   "PROFILER_NOT_INITIALIZED",
	7:   "PROFILER_ALREADY_STARTED",
	8:   "PROFILER_ALREADY_STOPPED",
	34:  "STUB_LIBRARY",
	46:  "DEVICE_UNAVAILABLE",
	100: "NO_DEVICE",
	101: "INVALID_DEVICE",
	102: "DEVICE_NOT_LICENSED",
	200: "INVALID_IMAGE",
	201: "INVALID_CONTEXT",
	202: "CONTEXT_ALREADY_CURRENT",
	205: "MAP_FAILED",
	206: "UNMAP_FAILED",
	207: "ARRAY_IS_MAPPED",
	208: "ALREADY_MAPPED",
	209: "NO_BINARY_FOR_GPU",
	210: "ALREADY_ACQUIRED",
	211: "NOT_MAPPED",
	212: "NOT_MAPPED_AS_ARRAY",
	213: "NOT_MAPPED_AS_POINTER",
	214: "ECC_UNCORRECTABLE",
	215: "UNSUPPORTED_LIMIT",
	216: "CONTEXT_ALREADY_IN_USE",
	217: "PEER_ACCESS_UNSUPPORTED",
	218: "INVALID_PTX",
	219: "INVALID_GRAPHICS_CONTEXT",
	220: "NVLINK_UNCORRECTABLE",
	221: "JIT_COMPILER_NOT_FOUND",
	222: "UNSUPPORTED_PTX_VERSION",
	223: "JIT_COMPILATION_DISABLED",
	224: "UNSUPPORTED_EXEC_AFFINITY",
	225: "UNSUPPORTED_DEVSIDE_SYNC",
	226: "CONTAINED",
	300: "INVALID_SOURCE",
	301: "FILE_NOT_FOUND",
	302: "SHARED_OBJECT_SYMBOL_NOT_FOUND",
	303: "SHARED_OBJECT_INIT_FAILED",
	304: "OPERATING_SYSTEM",
	400: "INVALID_HANDLE",
	401: "ILLEGAL_STATE",
	402: "LOSSY_QUERY",
	500: "NOT_FOUND",
	600: "NOT_READY",
	700: "ILLEGAL_ADDRESS",
	701: "LAUNCH_OUT_OF_RESOURCES",
	702: "LAUNCH_TIMEOUT",
	703: "LAUNCH_INCOMPATIBLE_TEXTURING",
	704: "PEER_ACCESS_ALREADY_ENABLED",
	705: "PEER_ACCESS_NOT_ENABLED",
	708: "PRIMARY_CONTEXT_ACTIVE",
	709: "CONTEXT_IS_DESTROYED",
	710: "ASSERT",
	711: "TOO_MANY_PEERS",
	712: "HOST_MEMORY_ALREADY_REGISTERED",
	713: "HOST_MEMORY_NOT_REGISTERED",
	714: "HARDWARE_STACK_ERROR",
	715: "ILLEGAL_INSTRUCTION",
	716: "MISALIGNED_ADDRESS",
	717: "INVALID_ADDRESS_SPACE",
	718: "INVALID_PC",
	719: "LAUNCH_FAILED",
	720: "COOPERATIVE_LAUNCH_TOO_LARGE",
	721: "TENSOR_MEMORY_LEAK",
	800: "NOT_PERMITTED",
	801: "NOT_SUPPORTED",
	802: "SYSTEM_NOT_READY",
	803: "SYSTEM_DRIVER_MISMATCH",
	804: "COMPAT_NOT_SUPPORTED_ON_DEVICE",
	805: "MPS_CONNECTION_FAILED",
	806: "MPS_RPC_FAILURE",
	807: "MPS_SERVER_NOT_READY",
	808: "MPS_MAX_CLIENTS_REACHED",
	809: "MPS_MAX_CONNECTIONS_REACHED",
	810: "MPS_CLIENT_TERMINATED",
	811: "CDP_NOT_SUPPORTED",
	812: "CDP_VERSION_MISMATCH",
	900: "STREAM_CAPTURE_UNSUPPORTED",
	901: "STREAM_CAPTURE_INVALIDATED",
	902: "STREAM_CAPTURE_MERGE",
	903: "STREAM_CAPTURE_UNMATCHED",
	904: "STREAM_CAPTURE_UNJOINED",
	905: "STREAM_CAPTURE_ISOLATION",
	906: "STREAM_CAPTURE_IMPLICIT",
	907: "CAPTURED_EVENT",
	908: "STREAM_CAPTURE_WRONG_THREAD",
	909: "TIMEOUT",
	910: "GRAPH_EXEC_UPDATE_FAILURE",
	911: "EXTERNAL_DEVICE",
	912: "INVALID_CLUSTER_SIZE",
	913: "FUNCTION_NOT_LOADED",
	914: "INVALID_RESOURCE_TYPE",
	915: "INVALID_RESOURCE_CONFIGURATION",
	999: "UNKNOWN",
}
