using System.Reflection;
using System.Reflection.Emit;
using System.Text;
using System.Text.RegularExpressions;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>The code of one closed method.</summary>
/// <param name="Text">Signature and instructions, with names in place of tokens; or what stands for them.</param>
/// <param name="Calls">The methods whose code belongs to it, in order.</param>
/// <param name="Types">The structs that it uses.</param>
internal sealed record MethodCode(string Text, IReadOnlyList<MethodBase> Calls, IReadOnlyList<Type> Types)
{
    /// <summary>Reads a method.</summary>
    public static MethodCode Of(MethodBase method)
    {
        string name = TypeNames.Of(method);
        if (TypeNames.IsForeign(method.DeclaringType)) return new(name, [], []);
        if (method.GetCustomAttribute<DeviceCodeAttribute>() is { } device)
            return new($"{name} = {device.Ptx} | {device.PtxOfShared} | {device.OpenCl}", [], []);
        if (method.GetCustomAttribute<GeneratedRegexAttribute>() is { } regex) // the names of generated classes are numbered
            return new($"{name} = {regex.Pattern} | {regex.Options}", [], []);
        return RuntimeTypes.Body(method) is { } body ? new Reader(method, body).Read(name) : new(name, [], []);
    }

    private sealed class Reader(MethodBase method, MethodBody body)
    {
        private readonly StringBuilder text = new();
        private readonly List<MethodBase> calls = [];
        private readonly HashSet<Type> types = [];
        private readonly Type[]? typeArguments = method.DeclaringType is { IsGenericType: true } type ? type.GetGenericArguments() : null;
        private readonly Type[]? methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : null;
        private Type? constraint;

        public MethodCode Read(string name)
        {
            text.Append(name).Append(' ').Append(method.MethodImplementationFlags).Append('\n');
            foreach (var parameter in method.GetParameters()) Use(parameter.ParameterType);
            foreach (var local in body.LocalVariables) text.Append("local ").Append(Use(local.LocalType)).Append('\n');
            foreach (var clause in body.ExceptionHandlingClauses) text.Append(clause.Flags).Append('\n');
            var instructions = IlReader.Read(body.GetILAsByteArray()!);
            var numbers = instructions.Select((instruction, i) => (instruction.Offset, i)).ToDictionary(p => p.Offset, p => p.i);
            foreach (var instruction in instructions)
            {
                text.Append(instruction.Name).Append(' ').Append(Operand(instruction));
                foreach (int target in instruction.Targets) text.Append(" →").Append(numbers[target]);
                text.Append('\n');
            }

            return new(text.ToString(), calls, [.. types]);
        }

        private string Operand(IlInstruction instruction) => instruction.Code.OperandType switch
        {
            OperandType.InlineNone or OperandType.InlineBrTarget or OperandType.ShortInlineBrTarget or OperandType.InlineSwitch => "",
            OperandType.InlineString => $"\"{RuntimeTypes.String(method.Module, instruction.Int32)}\"",
            OperandType.InlineSig => RuntimeTypes.Signature(method.Module, instruction.Int32),
            OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineType or OperandType.InlineTok =>
                Member(instruction.Code, RuntimeTypes.Resolve(method.Module, instruction.Int32, typeArguments, methodArguments)),
            _ => Convert.ToHexString(instruction.Operand.Span),
        };

        private string Member(OpCode code, MemberInfo member)
        {
            switch (member)
            {
                case Type used:
                    if (code == OpCodes.Constrained) constraint = used;
                    return Use(used);
                case FieldInfo field:
                    if (field.IsStatic && !TypeNames.IsForeign(field.DeclaringType) && RuntimeTypes.Initializer(field) is { } initializer)
                        calls.Add(initializer); // its value is in the text
                    Use(field.FieldType);
                    return $"{Use(field.DeclaringType!)}.{field.Name}";
                case MethodBase called:
                    var implementation = constraint is { } target ? RuntimeTypes.Implementation(target, called) : called;
                    constraint = null;
                    calls.Add(implementation);
                    if (implementation.DeclaringType is { } declaring) Use(declaring);
                    return TypeNames.Of(implementation);
                default:
                    return $"{member}";
            }
        }

        private string Use(Type type)
        {
            var plain = type;
            while (plain.HasElementType) plain = plain.GetElementType()!;
            if (TypeLayout.IsOurs(plain)) types.Add(plain);
            foreach (var argument in plain.GenericTypeArguments) Use(argument);
            return TypeNames.Of(type);
        }
    }
}
