using System.Globalization;
using System.Reflection;
using System.Text;
using ILGPU;
using ILGPU.Backends.OpenCL;
using ILGPU.Backends.PTX;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;
using ILGPU.IR.Types;
using ILGPU.IR.Values;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>All methods with a <see cref="DeviceCodeAttribute"/>, and the generation of their device code.</summary>
internal static class IntrinsicTable
{
    /// <summary>The classes that declare intrinsics.</summary>
    private static readonly Type[] Holders = [typeof(Block), typeof(DeviceMath), typeof(DeviceHalf), typeof(Float8), typeof(SubGroup),
        typeof(IntegerDot), typeof(SharedWindow), typeof(MatrixInstructions), typeof(SubGroupMatrix)];

    /// <summary>Every intrinsic.</summary>
    public static IEnumerable<MethodInfo> Methods =>
        Holders.SelectMany(RuntimeTypes.Methods).Where(m => m.IsDefined(typeof(DeviceCodeAttribute)));

    /// <summary>Registers all intrinsics with a compilation.</summary>
    public static void Register(Context.Builder builder)
    {
        var manager = builder.GetIntrinsicManager();
        foreach (var method in Methods)
        {
            manager.RegisterMethod(method,
                new PTXIntrinsic(typeof(IntrinsicTable), nameof(EmitPtx), IntrinsicImplementationMode.GenerateCode));
            manager.RegisterMethod(method,
                new CLIntrinsic(typeof(IntrinsicTable), nameof(EmitOpenCl), IntrinsicImplementationMode.GenerateCode));
        }
    }

    private static void EmitPtx(PTXBackend backend, PTXCodeGenerator generator, Value value)
    {
        var call = (MethodCall)value;
        var operands = new List<string>();
        if (!call.Target.ReturnType.IsVoidType) Flatten(generator.Allocate(call));
        foreach (var argument in call.Nodes) Flatten(generator.Load(argument));
        var code = Code(call);
        generator.Builder.Append('\t').AppendLine(Expand(code.PtxOfShared is { } shared && IsShared(call) ? shared : code.Ptx, operands));

        void Flatten(object register)
        {
            if (register is PTXCodeGenerator.CompoundRegister compound)
                foreach (var child in compound.Children) Flatten(child);
            else
                operands.Add("%" + PTXCodeGenerator.GetStringRepresentation(
                    generator.EnsureHardwareRegister((PTXCodeGenerator.PrimitiveRegister)register)));
        }
    }

    private static void EmitOpenCl(CLBackend backend, CLCodeGenerator generator, Value value)
    {
        var call = (MethodCall)value;
        var result = call.Target.ReturnType.IsVoidType ? null : generator.Allocate(call);
        var operands = new List<string> { result?.ToString() ?? "" };
        foreach (var argument in call.Nodes)
            operands.Add(generator.Load(argument) is var loaded && loaded is CLCodeGenerator.ConstantVariable constant
                ? Literal(constant.Value) : loaded.ToString());
        string text = Expand(Code(call).OpenCl, operands);
        if (result is null)
        {
            generator.AppendIndent();
            generator.Builder.Append(text).AppendLine(";");
            return;
        }

        using var statement = generator.BeginStatement(result);
        statement.AppendCommand(text);
    }

    private static bool IsShared(MethodCall call) =>
        ((AddressSpaceType)call.Nodes[0].Resolve().Type).AddressSpace == MemoryAddressSpace.Shared;

    private static DeviceCodeAttribute Code(MethodCall call) => call.Target.Source.GetCustomAttribute<DeviceCodeAttribute>()!;

    // The value's own ToString is the name of a node.
    private static string Literal(PrimitiveValue value) => value.BasicValueType == BasicValueType.Float32
        ? $"as_float(0x{BitConverter.SingleToUInt32Bits(value.Float32Value):x8}u)"
        : value.Int64Value.ToString(CultureInfo.InvariantCulture);

    private static string Expand(string template, List<string> operands)
    {
        var text = new StringBuilder();
        for (int i = 0; i < template.Length; i++)
        {
            if (template[i] != '$') { text.Append(template[i]); continue; }
            int end = i + 1;
            while (end < template.Length && char.IsAsciiDigit(template[end])) end++;
            text.Append(operands[int.Parse(template.AsSpan(i + 1, end - i - 1), CultureInfo.InvariantCulture)]);
            i = end - 1;
        }

        return text.ToString();
    }
}
