namespace ILGpuDiffusion.Pipelines.Images;

/// <summary>Protocols for images in terminals.</summary>
public enum TerminalProtocol
{
    /// <summary>No images.</summary>
    None,

    /// <summary>Half blocks in the 240 fixed colours of xterm's palette of 256.</summary>
    Blocks256,

    /// <summary>Half blocks in 24-bit colour.</summary>
    Blocks,

    /// <summary>DEC's sixels.</summary>
    Sixel,

    /// <summary>iTerm2's inline images.</summary>
    ITerm2,

    /// <summary>kitty's graphics protocol.</summary>
    Kitty,
}
