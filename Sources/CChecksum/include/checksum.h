#ifndef SYNOD_CHECKSUM_H
#define SYNOD_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Whether the processor has an instruction for CRC-32C.
bool synod_has_crc32c(void);

/// Continues a CRC-32C (its register, not inverted) over some bytes with that instruction; only
/// where ``synod_has_crc32c`` says so.
uint32_t synod_crc32c(uint32_t register_, const void *bytes, size_t count);

#endif
