/* SPDX-License-Identifier: MIT
 *
 * What libFuzzer and replay.c call: aborts where a promise is broken.
 */
#ifndef IPCUTILS_FUZZ_H
#define IPCUTILS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

#endif
