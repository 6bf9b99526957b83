// Functions that the OpenCL C of intrinsics refers to.
#ifdef cl_khr_fp16
#pragma OPENCL EXTENSION cl_khr_fp16 : enable
static inline float ilgd_half_to_float(ushort bits) { return convert_float(as_half(bits)); }
static inline ushort ilgd_float_to_half(float value) { return as_ushort(convert_half_rte(value)); }
#else
static inline float ilgd_half_to_float(ushort bits)
{
    uint magnitude = (uint)(bits & 0x7fff) << 13;
    uint widened = as_uint(as_float(magnitude) * 0x1p112f); // moves the exponent; right for subnormal numbers too
    widened = magnitude >= 0x0f800000u ? magnitude | 0x7f800000u : widened; // infinity and NaN
    return as_float(widened | (uint)(bits & 0x8000) << 16);
}
static inline ushort ilgd_float_to_half(float value)
{
    uint bits = as_uint(value), sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7fffffffu;
    uint normal = (magnitude + 0xc8000fffu + (magnitude >> 13 & 1u)) >> 13;      // to nearest, ties to even; may carry into infinity
    uint small = as_uint(as_float(magnitude) + 0.5f) - 0x3f000000u;              // the addition rounds at 2^-24
    uint large = magnitude > 0x7f800000u ? 0x7e00u : 0x7c00u;
    return (ushort)(sign | (magnitude >= 0x47800000u ? large : magnitude < 0x38800000u ? small : normal));
}
#endif
// Structures of eight floats seen as vectors; their type's name is the compiler's affair. Only compilers of processors get to see this.
#define ilgd_fma8(a, b, c) ({ __typeof__(c) sums_ __attribute__((aligned(32))) = (c); __typeof__(b) factors_ __attribute__((aligned(32))) = (b); \
    *(private float8*)&sums_ = fma((float8)(a), *(private float8*)&factors_, *(private float8*)&sums_); sums_; })
