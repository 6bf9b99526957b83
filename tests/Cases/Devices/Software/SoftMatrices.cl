// Matrix instructions of OpenCL sub-groups, after SoftLanes.cl. The macros give the layout: word w (two 16-bit elements, or four bytes) of a row of the left and the right operand, among
// the words that work items published, eight of each; and the position of a work item's sums.
#define SOFT_AT(x, lane, register) (x)[(lane) * SOFT_WORDS + (register)]
#if defined(ILGD_MATRIX_INTEL_8) // cl_intel_subgroup_matrix_multiply_accumulate, minimum sub-group size 8: each work item has 32 bits of every row
#define SOFT_LEFT(x, row, w) SOFT_AT(x, w, row)
#define SOFT_RIGHT(x, column, w) SOFT_AT(x, column, 8 + (w))
#define SOFT_ROW(lane, i) (i)
#define SOFT_COLUMN(lane, i) (lane)
#elif defined(ILGD_MATRIX_INTEL_16) // minimum sub-group size 16: 16 bits of every row
#define SOFT_LEFT(x, row, w) ((SOFT_AT(x, 2 * (w), row) & 0xFFFFu) | SOFT_AT(x, 2 * (w) + 1, row) << 16)
#define SOFT_RIGHT(x, column, w) SOFT_AT(x, column, 8 + (w))
#define SOFT_ROW(lane, i) (i)
#define SOFT_COLUMN(lane, i) (lane)
#elif defined(ILGD_MATRIX_RDNA3) // "RDNA3 Instruction Set Architecture", WMMA: whole rows, which work items 16 to 31 must repeat
#define SOFT_SAME(x, lane, word) (SOFT_AT(x, lane, word) == SOFT_AT(x, (lane) + 16, word) ? SOFT_AT(x, lane, word) : SOFT_POISON)
#define SOFT_LEFT(x, row, w) SOFT_SAME(x, row, w)
#define SOFT_RIGHT(x, column, w) SOFT_SAME(x, column, 8 + (w))
#define SOFT_ROW(lane, i) (2 * (i) + ((lane) >> 4))
#define SOFT_COLUMN(lane, i) ((lane) & 15)
#elif defined(ILGD_MATRIX_RDNA4) // "RDNA4 Instruction Set Architecture", WMMA: half a row each
#define SOFT_LEFT(x, row, w) SOFT_AT(x, (row) + ((w) >> 2) * 16, (w) & 3)
#define SOFT_RIGHT(x, column, w) SOFT_AT(x, (column) + ((w) >> 2) * 16, 8 + ((w) & 3))
#define SOFT_ROW(lane, i) ((i) + 8 * ((lane) >> 4))
#define SOFT_COLUMN(lane, i) ((lane) & 15)
#else // PTX's mma.m16n8k16, twice
#define SOFT_LEFT(x, row, w) SOFT_AT(x, ((row) & 7) * 4 + ((w) & 3), ((row) >> 3) + 2 * ((w) >> 2))
#define SOFT_RIGHT(x, column, w) SOFT_AT(x, ((column) & 7) * 4 + ((w) & 3), 8 + ((w) >> 2) + 2 * ((column) >> 3))
#define SOFT_ROW(lane, i) (((lane) >> 2) + 8 * (((i) >> 1) & 1))
#define SOFT_COLUMN(lane, i) (2 * ((lane) & 3) + ((i) & 1) + 8 * ((i) >> 2))
#endif
SOFT_FUNCTION void soft_publish_matrices(local soft_t* s, local uint* x, int8 a, int8 b)
{
    local uint* own = x + s->lane * SOFT_WORDS;
    vstore8(as_uint8(a), 0, own);
    vstore8(as_uint8(b), 1, own);
}
#define SOFT_MATRIX(kind, T, T8) \
SOFT_FUNCTION T8 soft_matrix_sums_##kind(local soft_t* s, local uint* x, T8 sums) \
{ \
    T all[8]; \
    vstore8(sums, 0, all); \
    for (uint i = 0; i < 8; i++) \
        for (uint w = 0; w < 8; w++) all[i] = soft_dot_##kind(all[i], SOFT_LEFT(x, SOFT_ROW(s->lane, i), w), SOFT_RIGHT(x, SOFT_COLUMN(s->lane, i), w)); \
    return vload8(0, all); \
} \
static inline T8 soft_matrix_##kind(local soft_t* s, int8 a, int8 b, T8 sums) \
{ \
    local uint* x = soft_slot(s); \
    soft_publish_matrices(s, x, a, b); \
    SOFT_EXCHANGE(s); \
    return soft_matrix_sums_##kind(s, x, sums); \
}
SOFT_MATRIX(bf16, float, float8)
SOFT_MATRIX(fp16, float, float8)
SOFT_MATRIX(int8, int, int8)
#if defined(ILGD_MATRIX_INTEL_8)
#define intel_sub_group_bf16_bf16_matrix_mad_k16(a, b, sums) soft_matrix_bf16(&soft, a, b, sums)
#define intel_sub_group_f16_f16_matrix_mad_k16(a, b, sums) soft_matrix_fp16(&soft, a, b, sums)
#define intel_sub_group_i8_i8_matrix_mad_k32(a, b, sums) soft_matrix_int8(&soft, a, b, sums)
#elif defined(ILGD_MATRIX_INTEL_16)
static inline int8 soft_shorts(short8 a) { return convert_int8(a); }
#define intel_sub_group_bf16_bf16_matrix_mad_k16(a, b, sums) soft_matrix_bf16(&soft, soft_shorts(a), b, sums)
#define intel_sub_group_f16_f16_matrix_mad_k16(a, b, sums) soft_matrix_fp16(&soft, soft_shorts(a), b, sums)
#define intel_sub_group_i8_i8_matrix_mad_k32(a, b, sums) soft_matrix_int8(&soft, soft_shorts(a), b, sums)
#elif defined(ILGD_MATRIX_RDNA3)
#define as_half16(words) (words)
#define __builtin_amdgcn_wmma_f32_16x16x16_bf16_w32(a, b, sums) soft_matrix_bf16(&soft, as_int8(a), as_int8(b), sums)
#define __builtin_amdgcn_wmma_f32_16x16x16_f16_w32(a, b, sums) soft_matrix_fp16(&soft, a, b, sums)
static inline int8 soft_sixteen(int4 words) { return (int8)(words, 0, 0, 0, 0); }
#define __builtin_amdgcn_wmma_i32_16x16x16_iu8_w32(a_signed, a, b_signed, b, sums, clamp) soft_matrix_int8(&soft, soft_sixteen(a), soft_sixteen(b), sums)
#elif defined(ILGD_MATRIX_RDNA4)
#define as_half8(words) (words)
static inline int8 soft_half(int4 words) { return (int8)(words, 0, 0, 0, 0); }
static inline int8 soft_eight(int2 words) { return (int8)(words, 0, 0, 0, 0, 0, 0); }
#define __builtin_amdgcn_wmma_f32_16x16x16_bf16_w32_gfx12(a, b, sums) soft_matrix_bf16(&soft, soft_half(as_int4(a)), soft_half(as_int4(b)), sums)
#define __builtin_amdgcn_wmma_f32_16x16x16_f16_w32_gfx12(a, b, sums) soft_matrix_fp16(&soft, soft_half(a), soft_half(b), sums)
#define __builtin_amdgcn_wmma_i32_16x16x16_iu8_w32_gfx12(a_signed, a, b_signed, b, sums, clamp) soft_matrix_int8(&soft, soft_eight(a), soft_eight(b), sums)
#else
#define ilgd_matrix_bf16(result, sums, a, b) ilgd_sums(result, soft_matrix_bf16(&soft, ilgd_words(a), ilgd_words(b), ilgd_floats(sums)))
#define ilgd_matrix_fp16(result, sums, a, b) ilgd_sums(result, soft_matrix_fp16(&soft, ilgd_words(a), ilgd_words(b), ilgd_floats(sums)))
#endif
