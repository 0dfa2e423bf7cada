/*
 * checksum_fold - the CRC of long inputs, by carry-less multiplication.
 *
 * A CRC is the remainder of a division of polynomials: the bits of the input are the coefficients,
 * and a sum is an exclusive or. 16 bytes X that are followed by D more bits stand for X * x^D. The
 * remainder does not change if x^D is replaced by its own remainder, which is a constant of 32 bits.
 * So a block is multiplied by a constant and added to a later block, and the earlier block is gone:
 *
 *	X = H * x^64 + L                      (H, L: the halves of a block)
 *	X * x^D  ->  H * (x^(D+64) mod P)  +  L * (x^D mod P)       has less than 96 bits
 *
 * Four blocks at a time are folded into the next four (D = 512), because the processor can begin a
 * multiplication before the last one has ended. At the end the four become one (D = 128). The
 * method is that of V. Gopal, E. Ozturk and others, Fast CRC Computation for Generic Polynomials
 * Using PCLMULQDQ Instruction, Intel, 2009.
 *
 * It costs code for each kind of processor: the instructions are PCLMULQDQ on x86-64, PMULL on
 * AArch64. The program asks the processor when it runs. checksum.c has the tables, which do the
 * same everywhere.
 */
#include "common/checksum_fold.h"

#include <string.h>

/* The remainders of x^n for the generator 0x04C11DB7; a test computes them again. */
#define X_128 0xE8A45605u
#define X_192 0xC5B9CD4Cu
#define X_512 0xE6228B11u
#define X_576 0x8833794Cu

enum { LANES = 4, STEP = LANES * CHECKSUM_FOLD_BLOCK };

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

#define CAN_FOLD
#define FOR_PROCESSOR __attribute__((target("pclmul,ssse3")))

typedef __m128i block_t;

bool checksum_fold_is_possible(void)
{
	return __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("ssse3");
}

/* The first byte of memory has the highest coefficients, so it goes to the highest byte. */
FOR_PROCESSOR static block_t reverse(block_t x)
{
	return _mm_shuffle_epi8(
		x, _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}

FOR_PROCESSOR static block_t load(const unsigned char *bytes)
{
	return reverse(_mm_loadu_si128((const __m128i *)(const void *)bytes));
}

FOR_PROCESSOR static void store(block_t x, unsigned char *bytes)
{
	_mm_storeu_si128((__m128i *)(void *)bytes, reverse(x));
}

FOR_PROCESSOR static block_t make(uint64_t high, uint64_t low)
{
	return _mm_set_epi64x((long long)high, (long long)low);
}

FOR_PROCESSOR static block_t add(block_t a, block_t b)
{
	return _mm_xor_si128(a, b);
}

/* The high half of x times that of k, plus the low half of x times that of k. */
FOR_PROCESSOR static block_t multiply(block_t x, block_t k)
{
	return add(_mm_clmulepi64_si128(x, k, 0x11), _mm_clmulepi64_si128(x, k, 0x00));
}

#elif defined(__AARCH64EL__) && defined(__linux__) && defined(__GNUC__)

#include <arm_neon.h>
#include <asm/hwcap.h>
#include <sys/auxv.h>

#define CAN_FOLD
#ifdef __clang__
#define FOR_PROCESSOR __attribute__((target("aes")))
#else
#define FOR_PROCESSOR __attribute__((target("+crypto")))
#endif

typedef uint64x2_t block_t;

bool checksum_fold_is_possible(void)
{
	return (getauxval(AT_HWCAP) & HWCAP_PMULL) != 0;
}

/* The first byte of memory has the highest coefficients, so it goes to the highest byte. */
FOR_PROCESSOR static block_t load(const unsigned char *bytes)
{
	uint8x16_t halves = vrev64q_u8(vld1q_u8(bytes));

	return vreinterpretq_u64_u8(vextq_u8(halves, halves, 8));
}

FOR_PROCESSOR static void store(block_t x, unsigned char *bytes)
{
	uint8x16_t halves = vrev64q_u8(vreinterpretq_u8_u64(x));

	vst1q_u8(bytes, vextq_u8(halves, halves, 8));
}

FOR_PROCESSOR static block_t make(uint64_t high, uint64_t low)
{
	return vcombine_u64(vcreate_u64(low), vcreate_u64(high));
}

FOR_PROCESSOR static block_t add(block_t a, block_t b)
{
	return veorq_u64(a, b);
}

/* The high half of x times that of k, plus the low half of x times that of k. */
FOR_PROCESSOR static block_t multiply(block_t x, block_t k)
{
	poly128_t high =
		vmull_p64((poly64_t)vgetq_lane_u64(x, 1), (poly64_t)vgetq_lane_u64(k, 1));
	poly128_t low =
		vmull_p64((poly64_t)vgetq_lane_u64(x, 0), (poly64_t)vgetq_lane_u64(k, 0));

	return add(vreinterpretq_u64_p128(high), vreinterpretq_u64_p128(low));
}

#endif

#ifdef CAN_FOLD

FOR_PROCESSOR size_t checksum_fold(uint32_t remainder, const unsigned char *bytes,
				   size_t n, unsigned char block[CHECKSUM_FOLD_BLOCK])
{
	const block_t over_four = make(X_576, X_512), over_one = make(X_192, X_128);
	block_t lanes[LANES], x;
	size_t at = STEP;

	for (size_t i = 0; i < LANES; i++)
		lanes[i] = load(bytes + i * CHECKSUM_FOLD_BLOCK);
	/* the remainder so far is added to the first 32 bits */
	lanes[0] = add(lanes[0], make((uint64_t)remainder << 32, 0));
	for (; n - at >= STEP; at += STEP)
		for (size_t i = 0; i < LANES; i++)
			lanes[i] = add(multiply(lanes[i], over_four),
				       load(bytes + at + i * CHECKSUM_FOLD_BLOCK));
	x = lanes[0];
	for (size_t i = 1; i < LANES; i++)
		x = add(multiply(x, over_one), lanes[i]);
	for (; n - at >= CHECKSUM_FOLD_BLOCK; at += CHECKSUM_FOLD_BLOCK)
		x = add(multiply(x, over_one), load(bytes + at));
	store(x, block);
	return at;
}

#else

bool checksum_fold_is_possible(void)
{
	return false;
}

size_t checksum_fold(uint32_t remainder, const unsigned char *bytes, size_t n,
		     unsigned char block[CHECKSUM_FOLD_BLOCK])
{
	(void)remainder;
	(void)bytes;
	(void)n;
	memset(block, 0, CHECKSUM_FOLD_BLOCK);
	return 0;
}

#endif
