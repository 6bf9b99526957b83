// Sub-groups and matrix instructions in plain OpenCL C 1.2, inserted before a kernel's text. SOFT_LANES consecutive work items are a sub-group; they exchange
// values through soft_words: two alternating slots per sub-group, so that one barrier per exchange is enough. All work items of the group must therefore
// reach every exchange. SOFT_ITEMS (size of the group), SOFT_LANES and SOFT_WORDS (words of a work item's exchange) are defined before this text.
#define SOFT_SLOT (SOFT_LANES * SOFT_WORDS)
#define SOFT_QUEUE 32
typedef struct {
    local uint* words;    // of this sub-group
    local char* window;   // all arrays in local memory; an address is a byte offset into it
    local uint* written;  // per 16 bytes: epoch << 16 | work item + 1 of the last write
    local uint* readers;  // per 16 bytes: epoch << 16 | sub-group + 1 of the last reader, 0xFFFF for several
    uint item, lane, warp, slot, epoch, size, head, tail, group;
    const global uint* source[SOFT_QUEUE];
    uint target[SOFT_QUEUE], bytes[SOFT_QUEUE], tag[SOFT_QUEUE];
} soft_t;
#define soft soft_lanes[get_local_id(0)]

// The value of memory that was never written, has a copy in flight, or is read without a barrier after the write: NaN in every float type, -1 as bytes.
#define SOFT_POISON 0xFFFFFFFFu
#define SOFT_ON_ITS_WAY 0xFFFF0000u
#define SOFT_ALIGN(n) (((n) + 15) / 16 * 16)

// At the top of a kernel, after `local uint soft_window[…]`.
#define SOFT_BEGIN() \
    local uint soft_words[(SOFT_ITEMS + SOFT_LANES - 1) / SOFT_LANES * 2 * SOFT_SLOT], soft_written[sizeof(soft_window) / 16], soft_readers[sizeof(soft_window) / 16]; \
    local soft_t soft_lanes[SOFT_ITEMS]; \
    soft.item = get_local_id(0); soft.lane = soft.item % SOFT_LANES; soft.warp = soft.item / SOFT_LANES; soft.slot = 0; soft.epoch = 1; \
    soft.size = sizeof(soft_window); soft.head = 0; soft.tail = 0; soft.group = 0; \
    soft.words = soft_words + soft.warp * (2 * SOFT_SLOT); soft.window = (local char*)soft_window; soft.written = soft_written; soft.readers = soft_readers; \
    for (uint i = soft.item; i < soft.size / 16; i += SOFT_ITEMS) { soft_written[i] = 0; soft_readers[i] = 0; } \
    for (uint i = soft.item; i < soft.size / 4; i += SOFT_ITEMS) soft_window[i] = SOFT_POISON; \
    barrier(CLK_LOCAL_MEM_FENCE);

#define SOFT_BARRIER() do { barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE); soft.epoch++; } while (0)
// Code without barriers stays in functions: inlined a hundred times, it would take the CPU's compiler minutes.
#define SOFT_FUNCTION static __attribute__((noinline))
#define SOFT_EXCHANGE(s) do { barrier(CLK_LOCAL_MEM_FENCE); (s)->slot ^= 1; } while (0)
static inline local uint* soft_slot(local soft_t* s) { return s->words + s->slot * SOFT_SLOT; }

// cl_khr_subgroups and cl_khr_subgroup_shuffle
#define get_max_sub_group_size() ((uint)SOFT_LANES)
#define get_sub_group_id() (get_local_id(0) / SOFT_LANES)
#define get_sub_group_local_id() (get_local_id(0) % SOFT_LANES)
#define sub_group_shuffle_xor(value, mask) soft_exchange(&soft, value, mask)
static inline uint soft_exchange_bits(local soft_t* s, uint bits, uint mask)
{
    local uint* x = soft_slot(s);
    x[s->lane] = bits;
    SOFT_EXCHANGE(s);
    return x[s->lane ^ mask];
}
static inline float __attribute__((overloadable)) soft_exchange(local soft_t* s, float value, uint mask) { return as_float(soft_exchange_bits(s, as_uint(value), mask)); }
static inline int __attribute__((overloadable)) soft_exchange(local soft_t* s, int value, uint mask) { return as_int(soft_exchange_bits(s, as_uint(value), mask)); }

// Local memory by address. A read is in order if there is a barrier of the group between it and the write.
SOFT_FUNCTION uint soft_check_read(local soft_t* s, uint address, uint alignment)
{
    if (address >= s->size || address % alignment != 0) return 0;
    uint chunk = address >> 4, now = s->epoch << 16 | (s->warp + 1), before = atomic_xchg(&s->readers[chunk], now);
    if (before >> 16 == s->epoch && before != now) atomic_or(&s->readers[chunk], 0xFFFFu);
    return s->written[chunk] >> 16 < s->epoch;
}
static inline uint soft_check_write(local soft_t* s, uint address) // 0 if another sub-group may still be reading
{
    uint reader = s->readers[address >> 4];
    return reader >> 16 != s->epoch || (reader & 0xFFFFu) == s->warp + 1;
}
SOFT_FUNCTION void soft_put(local soft_t* s, uint address, uint word)
{
    if (address + 4 > s->size || address % 4 != 0) return;
    *(local uint*)(s->window + address) = soft_check_write(s, address) ? word : SOFT_POISON;
    s->written[address >> 4] = s->epoch << 16 | (s->item + 1);
}
SOFT_FUNCTION void soft_store(local soft_t* s, uint address, const private uint* words, int count)
{
    for (int i = 0; i < count; i++) soft_put(s, address + 4 * i, words[i]);
}
SOFT_FUNCTION float soft_read(local soft_t* s, uint address) { return soft_check_read(s, address, 4) ? as_float(*(local uint*)(s->window + address)) : as_float(SOFT_POISON); } // only words: the compiler assumes that pointers of other types do not alias
#define ilgd_shared_address(pointer) ((uint)((local char*)(pointer) - soft.window))
#define ilgd_shared_store(address, value) ({ __typeof__(value) soft_v = value; soft_store(&soft, address, (private uint*)&soft_v, sizeof(soft_v) / 4); })
#define ilgd_shared_store_pair(address, a, b) ({ uint soft_v[2] = { as_uint(a), as_uint(b) }; soft_store(&soft, address, soft_v, 2); })
#define ilgd_shared_read(address) soft_read(&soft, address)

// Asynchronous copies: the target is poison until the work item waits for the copy's group.
SOFT_FUNCTION void soft_copy(local soft_t* s, uint address, const global uint* source, int bytes)
{
    uint q = s->tail++ % SOFT_QUEUE;
    s->source[q] = soft_check_write(s, address) ? source : 0;
    s->target[q] = address; s->bytes[q] = bytes; s->tag[q] = s->group;
    s->written[address >> 4] = SOFT_ON_ITS_WAY;
    for (int i = 0; i < 4; i++) ((local uint*)(s->window + address))[i] = SOFT_POISON;
}
SOFT_FUNCTION void soft_wait(local soft_t* s, uint pending)
{
    for (; s->head != s->tail && s->tag[s->head % SOFT_QUEUE] + pending < s->group; s->head++)
    {
        uint q = s->head % SOFT_QUEUE;
        local uint* to = (local uint*)(s->window + s->target[q]);
        if (s->source[q]) for (int i = 0; i < 4; i++) to[i] = s->bytes[q] > 0 ? s->source[q][i] : 0;
        s->written[s->target[q] >> 4] = s->epoch << 16 | (s->item + 1);
    }
}
#define ilgd_copy_async(address, source, bytes) soft_copy(&soft, address, (const global uint*)(source), bytes)
#define ilgd_copy_commit() (soft.group++)
#define ilgd_copy_wait(pending) soft_wait(&soft, pending)

// ldmatrix.m8n8.x4: lane i gives the address of row i % 8 of matrix i / 8; lane l receives of each matrix word l % 4 of row l / 4.
SOFT_FUNCTION void soft_loaded(local soft_t* s, private uint* result, local uint* x)
{
    for (int j = 0; j < 4; j++)
    {
        uint row = x[j * 8 + (s->lane >> 2)];
        result[j] = soft_check_read(s, row, 16) ? *(local uint*)(s->window + row + 4 * (s->lane & 3)) : SOFT_POISON;
    }
}
// With .trans: lane l receives of each matrix element l / 4 of rows 2 * (l % 4), the low half, and 2 * (l % 4) + 1.
SOFT_FUNCTION void soft_loaded_transposed(local soft_t* s, private uint* result, local uint* x)
{
    for (int j = 0; j < 4; j++)
    {
        uint low = x[j * 8 + 2 * (s->lane & 3)], high = x[j * 8 + 2 * (s->lane & 3) + 1], at = 2 * (s->lane >> 2);
        uint ordered = soft_check_read(s, low, 16) & soft_check_read(s, high, 16);
        uint words = *(local uint*)(s->window + low + (at & ~3u)) >> 8 * (at & 2) & 0xFFFFu;
        result[j] = ordered ? words | *(local uint*)(s->window + high + (at & ~3u)) >> 8 * (at & 2) << 16 : SOFT_POISON;
    }
}
#define ilgd_load_matrices_transposed(result, address) ({ __typeof__(result) soft_r; local uint* soft_x = soft_slot(&soft); soft_x[soft.lane] = address; \
    SOFT_EXCHANGE(&soft); soft_loaded_transposed(&soft, (private uint*)&soft_r, soft_x); soft_r; })
#define ilgd_load_matrices(result, address) ({ __typeof__(result) soft_r; local uint* soft_x = soft_slot(&soft); soft_x[soft.lane] = address; \
    SOFT_EXCHANGE(&soft); soft_loaded(&soft, (private uint*)&soft_r, soft_x); soft_r; })

// mma.m16n8: with g = lane / 4, t = lane % 4 and the inner dimension counted in words, of which there are 8, register r of the left operand is row
// g + 8 * (r & 1), word t + 4 * (r >> 1); register r of the right one is column g, word t + 4 * r; element i of the sums is row g + 8 * (i >> 1), column 2 * t + (i & 1).
static inline float soft_bf16(uint word, int high) { return as_float(high ? word & 0xFFFF0000u : word << 16); }
static inline float soft_fp16(uint word, int high) { return ilgd_half_to_float((ushort)(high ? word >> 16 : word)); }
static inline float soft_dot_bf16(float sum, uint a, uint b) { return sum + soft_bf16(a, 0) * soft_bf16(b, 0) + soft_bf16(a, 1) * soft_bf16(b, 1); }
static inline float soft_dot_fp16(float sum, uint a, uint b) { return sum + soft_fp16(a, 0) * soft_fp16(b, 0) + soft_fp16(a, 1) * soft_fp16(b, 1); }
// tf32: multiplications ignore the 13 low bits; rounding to nearest, ties away from zero, adds half of what is cut off to the magnitude.
static inline float soft_tf32(uint word) { return as_float(word & 0xFFFFE000u); }
static inline float soft_dot_tf32(float sum, uint a, uint b) { return sum + soft_tf32(a) * soft_tf32(b); }
SOFT_FUNCTION void soft_round_tf32(private uint* result, const private uint* words)
{
    for (int i = 0; i < 4; i++) result[i] = (words[i] & 0x7F800000u) == 0x7F800000u ? words[i] : (words[i] + 0x1000u) & 0xFFFFE000u;
}
#define ilgd_round_tf32(result, words) ({ __typeof__(result) soft_r; soft_round_tf32((private uint*)&soft_r, (private uint*)&(words)); soft_r; })
static inline int soft_dot_int8(int sum, uint a, uint b)
{
    int4 products = convert_int4(as_char4(a)) * convert_int4(as_char4(b));
    return sum + products.x + products.y + products.z + products.w;
}
SOFT_FUNCTION void soft_publish(local soft_t* s, const private uint* a, const private uint* b)
{
    local uint* own = soft_slot(s) + s->lane * SOFT_WORDS;
    for (int r = 0; r < 4; r++) own[r] = a[r];
    own[4] = b[0];
    own[5] = b[1];
}
#define SOFT_MULTIPLY(kind, T) \
SOFT_FUNCTION void soft_multiply_##kind(local soft_t* s, private T* result, const private T* sums, local uint* x) \
{ \
    uint g = s->lane >> 2, t = s->lane & 3; \
    for (uint i = 0; i < 4; i++) \
    { \
        uint lower = i >> 1, column = 2 * t + (i & 1); \
        T sum = sums[i]; \
        for (uint w = 0; w < 8; w++) sum = soft_dot_##kind(sum, x[(g * 4 + (w & 3)) * SOFT_WORDS + lower + 2 * (w >> 2)], x[(column * 4 + (w & 3)) * SOFT_WORDS + 4 + (w >> 2)]); \
        result[i] = sum; \
    } \
}
SOFT_MULTIPLY(bf16, float)
SOFT_MULTIPLY(fp16, float)
SOFT_MULTIPLY(tf32, float)
typedef int __attribute__((may_alias)) soft_int; // sums are the bits of integers in structures of floats
SOFT_MULTIPLY(int8, soft_int)
#define SOFT_MMA(kind, T, result, sums, a, b) ({ __typeof__(result) soft_r; local uint* soft_x = soft_slot(&soft); \
    soft_publish(&soft, (private uint*)&(a), (private uint*)&(b)); SOFT_EXCHANGE(&soft); \
    soft_multiply_##kind(&soft, (private T*)&soft_r, (private T*)&(sums), soft_x); soft_r; })
#define ilgd_mma_bf16(result, sums, a, b) SOFT_MMA(bf16, float, result, sums, a, b)
#define ilgd_mma_fp16(result, sums, a, b) SOFT_MMA(fp16, float, result, sums, a, b)
#define ilgd_mma_tf32(result, sums, a, b) SOFT_MMA(tf32, float, result, sums, a, b)
#define ilgd_mma_int8(result, sums, a, b) SOFT_MMA(int8, soft_int, result, sums, a, b)
