using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;

namespace ILGpuDiffusion.Architecture.Tests;

/// <summary>
/// The members of some assemblies that code reaches from given roots, read from the IL. Overrides and implementations are reached with what
/// they override or implement, methods that a string names (kernels) with the string, and a field or property by reading it: what is only
/// written is not used.
/// </summary>
internal sealed class Reachability
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<short, OpCode> OpCodes =
        typeof(OpCodes).GetFields().Select(f => (OpCode)f.GetValue(null)!).ToDictionary(c => c.Value);

    /// <summary>Members that the compiler generates for every record; reading in them does not count as use.</summary>
    private static readonly HashSet<string> Synthesised = ["PrintMembers", "Equals", "GetHashCode", "ToString", ".ctor"];

    private readonly HashSet<Assembly> assemblies;
    private readonly HashSet<(Module, int)> reached = [], referenced = [];
    private readonly HashSet<string> strings = [];
    private readonly HashSet<Type> types = [];
    private readonly Queue<MemberInfo> pending = [];
    private MemberInfo? source;

    public Reachability(IEnumerable<Assembly> assemblies, IEnumerable<MemberInfo> roots)
    {
        this.assemblies = [.. assemblies];
        foreach (var root in roots) Reach(root);
        do
            while (pending.TryDequeue(out source)) Follow(source);
        while (ReachImplementations());
    }

    /// <summary>Whether code reaches the member.</summary>
    public bool Contains(MemberInfo member) => reached.Contains(Key(member));

    /// <summary>Whether another member refers to it.</summary>
    public bool IsReferenced(MemberInfo member) => referenced.Contains(Key(member));

    private static (Module, int) Key(MemberInfo member) => (member.Module, member.MetadataToken);

    private void Reach(MemberInfo? member)
    {
        switch (member)
        {
            case null or Type { IsGenericParameter: true }: return;
            case Type { HasElementType: true } type: Reach(type.GetElementType()); return;
            case Type { IsConstructedGenericType: true } type:
                foreach (var argument in type.GetGenericArguments()) Reach(argument);
                Reach(type.GetGenericTypeDefinition());
                return;
            case Type { IsFunctionPointer: true }: return;
            case MethodInfo { IsGenericMethod: true, IsGenericMethodDefinition: false } method:
                foreach (var argument in method.GetGenericArguments()) Reach(argument);
                break;
        }

        if (member is not Type) Reach(member.DeclaringType);
        if (!assemblies.Contains(member.Module.Assembly)) return;
        if (source is not null && Key(source) != Key(member)) referenced.Add(Key(member));
        if (reached.Add(Key(member))) pending.Enqueue(member.Module.ResolveMember(member.MetadataToken)!);
    }

    private void Follow(MemberInfo member)
    {
        foreach (var attribute in member.CustomAttributes)
        {
            Reach(attribute.Constructor);
            foreach (var argument in attribute.ConstructorArguments.Concat(attribute.NamedArguments.Select(a => a.TypedValue)))
                if (argument.Value is Type type) Reach(type);
        }

        switch (member)
        {
            case Type type:
                types.Add(type);
                Reach(type.BaseType);
                Reach(type.TypeInitializer);
                foreach (var used in type.GetInterfaces()) Reach(used);
                foreach (var used in type.GetGenericArguments().SelectMany(a => a.GetGenericParameterConstraints())) Reach(used);
                break;
            case FieldInfo field: Reach(field.FieldType); break;
            case MethodBase method: FollowMethod(method); break;
        }
    }

    private void FollowMethod(MethodBase method)
    {
        foreach (var parameter in method.GetParameters()) Reach(parameter.ParameterType);
        if (method is MethodInfo { ReturnType: var result }) Reach(result);
        if (method.IsGenericMethod)
            foreach (var used in method.GetGenericArguments().SelectMany(a => a.GetGenericParameterConstraints())) Reach(used);
        if (IsSynthesised(method) || method.GetMethodBody() is not { } body) return;
        foreach (var local in body.LocalVariables) Reach(local.LocalType);
        foreach (var clause in body.ExceptionHandlingClauses)
            if (clause.Flags == ExceptionHandlingClauseOptions.Clause) Reach(clause.CatchType);
        FollowCode(method, body.GetILAsByteArray()!);
    }

    private void FollowCode(MethodBase method, byte[] code)
    {
        Type[]? ofType = method.DeclaringType?.GetGenericArguments();
        Type[]? ofMethod = method.IsGenericMethod ? method.GetGenericArguments() : null;
        for (int at = 0; at < code.Length;)
        {
            short value = code[at] == 0xFE ? (short)(0xFE00 | code[at + 1]) : code[at];
            var op = OpCodes[value];
            at += op.Size;
            int operand = op.OperandType is OperandType.InlineNone || at + 4 > code.Length ? 0 : BitConverter.ToInt32(code, at);
            switch (op.OperandType)
            {
                case OperandType.InlineString: strings.Add(method.Module.ResolveString(operand)); break;
                case OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok or OperandType.InlineType:
                    var member = method.Module.ResolveMember(operand, ofType, ofMethod);
                    Reach(op.Name is "stfld" or "stsfld" ? member!.DeclaringType : member);
                    if (op.Name is "ldtoken" && member is Type { IsGenericTypeDefinition: true } open) // constructed at run time
                        foreach (var constructor in open.GetConstructors(Declared)) Reach(constructor);
                    break;
            }

            at += op.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + 4 * operand,
                _ => 4,
            };
        }
    }

    /// <summary>Adds methods that implement or override reached ones, or that a reached string names; false if there are none.</summary>
    private bool ReachImplementations()
    {
        source = null;
        foreach (var type in types.ToArray())
        {
            HashSet<string> asked = [.. type.GetInterfaces().SelectMany(i => i.GetMethods(Declared)).Where(IsAsked).Select(m => m.Name)];
            for (var at = type; at is not null && assemblies.Contains(at.Assembly); at = at.BaseType)
                foreach (var method in at.GetMethods(Declared))
                    if ((asked.Count > 0 && asked.Contains(method.Name[(method.Name.LastIndexOf('.') + 1)..]))
                        || (method.IsVirtual && method.GetBaseDefinition() is var first && Key(first) != Key(method) && IsAsked(first))
                        || (method.IsStatic && strings.Contains(method.Name)))
                        Reach(method);
        }

        return pending.Count > 0;
    }

    private bool IsAsked(MethodInfo method) => !assemblies.Contains(method.Module.Assembly) || Contains(method);

    private static bool IsSynthesised(MethodBase method) =>
        Synthesised.Contains(method.Name) && method.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false);
}
