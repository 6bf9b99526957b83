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
#if defined(ILGD_MATRIX_RDNA3) || defined(ILGD_MATRIX_RDNA4) // whose matrix instructions are those of waves of 32, whether the driver has sub-groups or not
#define ilgd_sub_group() ((int)get_local_id(0) >> 5)
#define ilgd_lane() ((int)get_local_id(0) & 31)
#else
#define ilgd_sub_group() ((int)get_sub_group_id())
#define ilgd_lane() ((int)get_sub_group_local_id())
#endif
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
// Matrices of sub-groups: sums of eight registers, operands of eight words. Structures' types are the compiler's affair, so they are taken apart and put together.
#define ilgd_words(w) ((int8)((int)(w).field_0, (int)(w).field_1, (int)(w).field_2, (int)(w).field_3, (int)(w).field_4, (int)(w).field_5, (int)(w).field_6, (int)(w).field_7))
#define ilgd_halves(w) ((short8)((short)(w).field_0, (short)(w).field_1, (short)(w).field_2, (short)(w).field_3, (short)(w).field_4, (short)(w).field_5, (short)(w).field_6, (short)(w).field_7))
#define ilgd_floats(f) ((float8)((f).field_0, (f).field_1, (f).field_2, (f).field_3, (f).field_4, (f).field_5, (f).field_6, (f).field_7))
#define ilgd_sums(result, value) ({ float8 sums_ = (value); __typeof__(result) parts_; \
    parts_.field_0 = sums_.s0; parts_.field_1 = sums_.s1; parts_.field_2 = sums_.s2; parts_.field_3 = sums_.s3; \
    parts_.field_4 = sums_.s4; parts_.field_5 = sums_.s5; parts_.field_6 = sums_.s6; parts_.field_7 = sums_.s7; parts_; })
#if defined(ILGD_MATRIX_INTEL_8)
#define ilgd_matrix_bf16(result, sums, a, b) ilgd_sums(result, intel_sub_group_bf16_bf16_matrix_mad_k16(ilgd_words(a), ilgd_words(b), ilgd_floats(sums)))
#define ilgd_matrix_fp16(result, sums, a, b) ilgd_sums(result, intel_sub_group_f16_f16_matrix_mad_k16(ilgd_words(a), ilgd_words(b), ilgd_floats(sums)))
#define ilgd_matrix_int8(result, sums, a, b) ilgd_sums(result, as_float8(intel_sub_group_i8_i8_matrix_mad_k32(ilgd_words(a), ilgd_words(b), as_int8(ilgd_floats(sums)))))
#elif defined(ILGD_MATRIX_INTEL_16)
#define ilgd_matrix_bf16(result, sums, a, b) ilgd_sums(result, intel_sub_group_bf16_bf16_matrix_mad_k16(ilgd_halves(a), ilgd_words(b), ilgd_floats(sums)))
#define ilgd_matrix_fp16(result, sums, a, b) ilgd_sums(result, intel_sub_group_f16_f16_matrix_mad_k16(ilgd_halves(a), ilgd_words(b), ilgd_floats(sums)))
#define ilgd_matrix_int8(result, sums, a, b) ilgd_sums(result, as_float8(intel_sub_group_i8_i8_matrix_mad_k32(ilgd_halves(a), ilgd_words(b), as_int8(ilgd_floats(sums)))))
#elif defined(ILGD_MATRIX_RDNA3)
#define ilgd_matrix_bf16(result, sums, a, b) ilgd_sums(result, __builtin_amdgcn_wmma_f32_16x16x16_bf16_w32(as_short16(ilgd_words(a)), as_short16(ilgd_words(b)), ilgd_floats(sums)))
#define ilgd_matrix_fp16(result, sums, a, b) ilgd_sums(result, __builtin_amdgcn_wmma_f32_16x16x16_f16_w32(as_half16(ilgd_words(a)), as_half16(ilgd_words(b)), ilgd_floats(sums)))
// Sixteen bytes at a time, both operands signed, sums not clamped.
#define ilgd_matrix_int8(result, sums, a, b) ilgd_sums(result, as_float8(ilgd_wmma_bytes(ilgd_words(a), ilgd_words(b), as_int8(ilgd_floats(sums)))))
#define ilgd_wmma_bytes(a, b, sums) __builtin_amdgcn_wmma_i32_16x16x16_iu8_w32(1, (a).hi, 1, (b).hi, __builtin_amdgcn_wmma_i32_16x16x16_iu8_w32(1, (a).lo, 1, (b).lo, sums, 0), 0)
#elif defined(ILGD_MATRIX_RDNA4)
#define ilgd_matrix_bf16(result, sums, a, b) ilgd_sums(result, __builtin_amdgcn_wmma_f32_16x16x16_bf16_w32_gfx12(as_short8(ilgd_words(a).lo), as_short8(ilgd_words(b).lo), ilgd_floats(sums)))
#define ilgd_matrix_fp16(result, sums, a, b) ilgd_sums(result, __builtin_amdgcn_wmma_f32_16x16x16_f16_w32_gfx12(as_half8(ilgd_words(a).lo), as_half8(ilgd_words(b).lo), ilgd_floats(sums)))
// A work item's sixteen bytes are eight of one instruction and eight of another: both operands are cut alike.
#define ilgd_matrix_int8(result, sums, a, b) ilgd_sums(result, as_float8(ilgd_wmma_bytes(ilgd_words(a).lo, ilgd_words(b).lo, as_int8(ilgd_floats(sums)))))
#define ilgd_wmma_bytes(a, b, sums) __builtin_amdgcn_wmma_i32_16x16x16_iu8_w32_gfx12(1, (a).hi, 1, (b).hi, __builtin_amdgcn_wmma_i32_16x16x16_iu8_w32_gfx12(1, (a).lo, 1, (b).lo, sums, 0), 0)
#endif
