namespace ILGpuDiffusion.Compute.Devices;

/// <summary>OpenCL's error codes as names and exceptions.</summary>
internal static class OpenClError
{
    /// <summary>Codes that are handled specially.</summary>
    public const int DeviceNotFound = -1, MemoryAllocationFailure = -4, OutOfResources = -5, OutOfHostMemory = -6, InvalidBufferSize = -61,
        PlatformNotFound = -1001;

    /// <summary>Whether a code means out of memory.</summary>
    public static bool IsOutOfMemory(int code) => code is MemoryAllocationFailure or OutOfResources or OutOfHostMemory or InvalidBufferSize;

    /// <summary>
    /// Whether the device is unusable for the rest of the process: a kernel crashed (which invalidates the queue), or the device failed.
    /// </summary>
    public static bool IsLost(int code) => code is -2 or -14 or -36 or -9999;

    /// <summary>The name in the standard, with the number.</summary>
    public static string Name(int code) => $"{Word(code)} ({code})";

    private static string Word(int code) => code switch
    {
        -1 => "CL_DEVICE_NOT_FOUND",
        -2 => "CL_DEVICE_NOT_AVAILABLE",
        -3 => "CL_COMPILER_NOT_AVAILABLE",
        -4 => "CL_MEM_OBJECT_ALLOCATION_FAILURE",
        -5 => "CL_OUT_OF_RESOURCES",
        -6 => "CL_OUT_OF_HOST_MEMORY",
        -11 => "CL_BUILD_PROGRAM_FAILURE",
        -14 => "CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST",
        -30 => "CL_INVALID_VALUE",
        -33 => "CL_INVALID_DEVICE",
        -34 => "CL_INVALID_CONTEXT",
        -36 => "CL_INVALID_COMMAND_QUEUE",
        -38 => "CL_INVALID_MEM_OBJECT",
        -42 => "CL_INVALID_BINARY",
        -43 => "CL_INVALID_BUILD_OPTIONS",
        -44 => "CL_INVALID_PROGRAM",
        -45 => "CL_INVALID_PROGRAM_EXECUTABLE",
        -46 => "CL_INVALID_KERNEL_NAME",
        -48 => "CL_INVALID_KERNEL",
        -49 => "CL_INVALID_ARG_INDEX",
        -50 => "CL_INVALID_ARG_VALUE",
        -51 => "CL_INVALID_ARG_SIZE",
        -52 => "CL_INVALID_KERNEL_ARGS",
        -53 => "CL_INVALID_WORK_DIMENSION",
        -54 => "CL_INVALID_WORK_GROUP_SIZE",
        -55 => "CL_INVALID_WORK_ITEM_SIZE",
        -58 => "CL_INVALID_EVENT",
        -59 => "CL_INVALID_OPERATION",
        -61 => "CL_INVALID_BUFFER_SIZE",
        -63 => "CL_INVALID_GLOBAL_WORK_SIZE",
        -9999 => "a memory access out of bounds",
        -1001 => "CL_PLATFORM_NOT_FOUND_KHR",
        _ => "an error",
    };
}
