namespace ILGpuDiffusion.Pipelines.Errors;

/// <summary>
/// A request that this model, scheduler or device cannot serve. The message says which value is wrong and what it must be; the pipeline
/// stays usable. A web server should answer with status 400.
/// </summary>
/// <param name="property">The property of <c>ImageRequest</c> (or <c>ScheduleRequest</c>, which uses the same names) that holds the
/// value.</param>
/// <param name="message">What is wrong, and what it must be.</param>
public sealed class DiffusionRequestException(string property, string message) : ArgumentException(message)
{
    /// <summary>The property of <c>ImageRequest</c> or <c>ScheduleRequest</c> that holds the value, such as <c>GuidanceScale</c>.</summary>
    public string Property => property;

    /// <summary>The same as <see cref="Property"/>; the message does not repeat it.</summary>
    public override string ParamName => property;
}
