#include "checksum.h"

#include <string.h>

#if defined(__x86_64__)

#include <nmmintrin.h>

bool synod_has_crc32c(void) { return __builtin_cpu_supports("sse4.2"); }

__attribute__((target("sse4.2")))
uint32_t synod_crc32c(uint32_t register_, const void *bytes, size_t count) {
    const unsigned char *next = bytes;
    uint64_t crc = register_;
    for (; count >= 8; count -= 8, next += 8) {
        uint64_t word;
        memcpy(&word, next, 8);
        crc = _mm_crc32_u64(crc, word);
    }
    for (; count > 0; count--, next++) crc = _mm_crc32_u8((uint32_t)crc, *next);
    return (uint32_t)crc;
}

#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)

#include <arm_acle.h>

bool synod_has_crc32c(void) { return true; }

uint32_t synod_crc32c(uint32_t register_, const void *bytes, size_t count) {
    const unsigned char *next = bytes;
    for (; count >= 8; count -= 8, next += 8) {
        uint64_t word;
        memcpy(&word, next, 8);
        register_ = __crc32cd(register_, word);
    }
    for (; count > 0; count--, next++) register_ = __crc32cb(register_, *next);
    return register_;
}

#else

bool synod_has_crc32c(void) { return false; }

uint32_t synod_crc32c(uint32_t register_, const void *bytes, size_t count) {
    (void)bytes, (void)count;
    return register_;
}

#endif
