package nvml

import "fmt"

// Result is a status code of the library (nvmlReturn_t). Every code but Success is an error.
type Result uint32

// The codes that this package tells apart; values are those of nvml.h.
const (
	Success          Result = 0
	NotSupported     Result = 3
	NoPermission     Result = 4
	NotFound         Result = 6
	InsufficientSize Result = 7
	DriverNotLoaded  Result = 9
	FunctionNotFound Result = 13
	GPUIsLost        Result = 15
	VersionMismatch  Result = 18
	NoData           Result = 21
)

var resultNames = map[Result]string{
	1: "UNINITIALIZED", 2: "INVALID_ARGUMENT", 3: "NOT_SUPPORTED", 4: "NO_PERMISSION", 6: "NOT_FOUND", 7: "INSUFFICIENT_SIZE",
	9: "DRIVER_NOT_LOADED", 10: "TIMEOUT", 11: "IRQ_ISSUE", 12: "LIBRARY_NOT_FOUND", 13: "FUNCTION_NOT_FOUND",
	14: "CORRUPTED_INFOROM", 15: "GPU_IS_LOST", 16: "RESET_REQUIRED", 17: "OPERATING_SYSTEM", 18: "LIB_RM_VERSION_MISMATCH",
	19: "IN_USE", 20: "MEMORY", 21: "NO_DATA", 23: "INSUFFICIENT_RESOURCES", 27: "NOT_READY", 28: "GPU_NOT_FOUND", 999: "UNKNOWN",
}

// Error is the name of nvml.h and the number.
func (r Result) Error() string {
	name, known := resultNames[r]
	if !known {
		name = "UNNAMED"
	}
	return fmt.Sprintf("NVML_ERROR_%s (%d)", name, uint32(r))
}

// untold says whether r means that this GPU or driver does not have the figure, rather than that something is wrong.
func (r Result) untold() bool {
	return r == NotSupported || r == FunctionNotFound || r == NoPermission || r == NoData
}

// Error is a failed call.
type Error struct {
	Call   string
	Result Result
	Detail string
}

func (e *Error) Error() string {
	if e.Detail == "" {
		return fmt.Sprintf("%s: %v", e.Call, e.Result)
	}
	return fmt.Sprintf("%s: %v: %s", e.Call, e.Result, e.Detail)
}

// Unwrap gives the Result, so that errors.Is(err, GPUIsLost) works.
func (e *Error) Unwrap() error { return e.Result }

func fail(call string, r Result, detail string) error {
	if r == Success {
		return nil
	}
	return &Error{call, r, detail}
}
