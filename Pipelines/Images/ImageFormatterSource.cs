using System.Diagnostics.CodeAnalysis;

namespace ILGpuDiffusion.Pipelines.Images;

/// <summary>
/// Names the class that formats a type in a notebook. .NET Interactive looks for an attribute of this name on a value's type, and for the
/// members below by their names, so that libraries need no reference to it.
/// </summary>
/// <param name="formatterSourceType">A type with a public constructor and <c>CreateTypeFormatters()</c>.</param>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class TypeFormatterSourceAttribute(
    [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors | DynamicallyAccessedMemberTypes.PublicMethods)]
    Type formatterSourceType) : Attribute
{
    [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors | DynamicallyAccessedMemberTypes.PublicMethods)]
    public Type FormatterSourceType { get; } = formatterSourceType;
}

#pragma warning disable CA1822 // called by name on an instance
/// <summary>Formatters of <see cref="Image"/> in notebooks.</summary>
internal sealed class ImageFormatterSource
{
    public IEnumerable<object> CreateTypeFormatters() => [new ImageFormatter()];
}

/// <summary>Formats an image as HTML.</summary>
internal sealed class ImageFormatter
{
    public string MimeType { get; } = "text/html";

    /// <summary>Writes the value; returns false where it is not an image.</summary>
    public bool Format(object instance, TextWriter writer)
    {
        if (instance is not Image image) return false;
        writer.Write(image.ToHtml());
        return true;
    }
}
#pragma warning restore CA1822
