using System.Text;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Runs a small program on a device that is not open, and frees everything afterwards.</summary>
internal sealed unsafe class OpenClTrial(IOpenCl api, nint device)
{
    /// <summary>Builds a text, runs its kernel <c>probe(global int*)</c> with one group and reads the array back.</summary>
    /// <exception cref="DeviceException">A driver call fails; the message quotes it.</exception>
    public int[] Run(string text, string standard, int groupSize, int count)
    {
        nint context = 0, queue = 0, buffer = 0, program = 0, kernel = 0;
        try
        {
            Check(api.CreateContext(device, out context), "clCreateContext");
            Check(api.CreateCommandQueue(context, device, 0, out queue), "clCreateCommandQueue");
            byte[] source = Encoding.UTF8.GetBytes(text);
            fixed (byte* at = source)
                Check(api.CreateProgramWithSource(context, (nint)at, (nuint)source.Length, out program), "clCreateProgramWithSource");
            fixed (byte* options = Encoding.ASCII.GetBytes($"-cl-std={standard}\0"))
                Check(api.BuildProgram(program, device, (nint)options), "clBuildProgram");
            fixed (byte* name = "probe\0"u8) Check(api.CreateKernel(program, (nint)name, out kernel), "clCreateKernel");
            nuint bytes = (nuint)count * sizeof(int), size = (nuint)groupSize;
            Check(api.CreateBuffer(context, 1, bytes, out buffer), "clCreateBuffer");
            nint argument = buffer;
            Check(api.SetKernelArg(kernel, 0, (nuint)sizeof(nint), (nint)(&argument)), "clSetKernelArg");
            Check(api.EnqueueNDRangeKernel(queue, kernel, 1, (nint)(&size), (nint)(&size)), "clEnqueueNDRangeKernel");
            int[] results = new int[count];
            fixed (int* to = results) Check(api.EnqueueReadBuffer(queue, buffer, true, 0, bytes, (nint)to), "clEnqueueReadBuffer");
            return results;
        }
        finally
        {
            if (kernel != 0) api.ReleaseKernel(kernel);
            if (program != 0) api.ReleaseProgram(program);
            if (buffer != 0) api.ReleaseMemObject(buffer);
            if (queue != 0) api.ReleaseCommandQueue(queue);
            if (context != 0) api.ReleaseContext(context);
        }
    }

    private static void Check(int error, string function)
    {
        if (error != 0) throw new DeviceException($"{function} fails with {OpenClError.Name(error)}");
    }
}
