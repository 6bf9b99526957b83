using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.Loader;
using ILGPU;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>
/// A small assembly with a kernel, as a compiler would write it: the kernel calls a helper and a static member of its type argument, and
/// has a struct as a local. Each has a version id of its own.
/// </summary>
internal sealed record EmittedKernel
{
    private const MethodAttributes Public = MethodAttributes.Public | MethodAttributes.Static;

    /// <summary>Number of unrelated methods before the kernel: they move all tokens.</summary>
    public int Strangers { get; init; }

    /// <summary>A constant in the helper.</summary>
    public int Constant { get; init; } = 3;

    /// <summary>A constant in the type argument's member.</summary>
    public int Argument { get; init; } = 5;

    /// <summary>The struct's fields, in order.</summary>
    public string[] Fields { get; init; } = ["first", "second"];

    /// <summary>Builds and loads the assembly.</summary>
    public KernelSource Load()
    {
        var assembly = new PersistedAssemblyBuilder(new AssemblyName("Emitted"), typeof(object).Assembly);
        var module = assembly.DefineDynamicModule("Emitted");
        var type = module.DefineType("Kernels", TypeAttributes.Public | TypeAttributes.Abstract | TypeAttributes.Sealed);
        for (int i = 0; i < Strangers; i++) Return(type.DefineMethod($"Stranger{i}", Public, typeof(int), []), i);

        var contract = module.DefineType("IValue", TypeAttributes.Public | TypeAttributes.Interface | TypeAttributes.Abstract);
        var declared = contract.DefineMethod("Value", Public | MethodAttributes.Abstract | MethodAttributes.Virtual, typeof(int), []);
        var argument = Struct(module, "Five", []);
        argument.AddInterfaceImplementation(contract);
        var value = argument.DefineMethod("Value", Public, typeof(int), []);
        Return(value, Argument);
        argument.DefineMethodOverride(value, declared);
        var pair = Struct(module, "Pair", Fields);
        var helper = type.DefineMethod("Helper", Public, typeof(int), []);
        Return(helper, Constant);

        var kernel = type.DefineMethod("Kernel", Public, typeof(void), [typeof(ArrayView<int>)]);
        var parameter = kernel.DefineGenericParameters("T")[0];
        var code = kernel.GetILGenerator();
        code.DeclareLocal(pair);
        code.Emit(OpCodes.Call, helper);
        code.Emit(OpCodes.Constrained, parameter);
        code.Emit(OpCodes.Call, declared);
        code.Emit(OpCodes.Add);
        code.Emit(OpCodes.Pop);
        code.Emit(OpCodes.Ret);
        foreach (var made in new[] { contract, argument, pair, type }) made.CreateType();

        using var file = new MemoryStream();
        assembly.Save(file);
        file.Position = 0;
        var loaded = new AssemblyLoadContext(null, isCollectible: true).LoadFromStream(file);
        return KernelSource.Of(loaded.GetType("Kernels")!, "Kernel", 64, loaded.GetType("Five")!);
    }

    private static TypeBuilder Struct(ModuleBuilder module, string name, string[] fields)
    {
        var type = module.DefineType(name, TypeAttributes.Public | TypeAttributes.Sealed | TypeAttributes.SequentialLayout,
            typeof(ValueType));
        foreach (string field in fields) type.DefineField(field, typeof(int), FieldAttributes.Public);
        return type;
    }

    private static void Return(MethodBuilder method, int value)
    {
        var code = method.GetILGenerator();
        code.Emit(OpCodes.Ldc_I4, value);
        code.Emit(OpCodes.Ret);
    }
}
