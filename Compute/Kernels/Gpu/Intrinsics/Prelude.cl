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
// Exchange within sub-groups; there is no plain form of it.
#if defined(ILGD_SUB_GROUPS_KHRONOS)
#pragma OPENCL EXTENSION cl_khr_subgroups : enable
#pragma OPENCL EXTENSION cl_khr_subgroup_shuffle : enable
#define ilgd_exchange(value, distance) sub_group_shuffle_xor(value, (uint)(distance))
#elif defined(ILGD_SUB_GROUPS_INTEL)
#pragma OPENCL EXTENSION cl_intel_subgroups : enable
#define ilgd_exchange(value, distance) intel_sub_group_shuffle_xor(value, (uint)(distance))
#endif
#define ilgd_sub_group_size() ((int)get_max_sub_group_size())
#define ilgd_sub_group() ((int)get_sub_group_id())
#define ilgd_lane() ((int)get_sub_group_local_id())
// Four products of signed bytes, added to a sum.
#if defined(ILGD_DOT_KHRONOS)
#define ilgd_dot4(a, b, sum) ((sum) + dot_4x8packed_ss_int((uint)(a), (uint)(b)))
#elif defined(ILGD_DOT_ARM)
#pragma OPENCL EXTENSION cl_arm_integer_dot_product_accumulate_int8 : enable
#define ilgd_dot4(a, b, sum) arm_dot_acc(as_char4(a), as_char4(b), (int)(sum))
#else
static inline int ilgd_dot4(int a, int b, int sum)
{
    int4 products = convert_int4(as_char4(a)) * convert_int4(as_char4(b));
    return sum + products.x + products.y + products.z + products.w;
}
#endif
