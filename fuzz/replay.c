/* SPDX-License-Identifier: MIT
 *
 * replay FILE...: gives each file to the harness, without a fuzzer.
 */
#include "fuzz.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    static uint8_t bytes[1 << 16];

    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        if (file == NULL) {
            perror(argv[i]);
            return 1;
        }
        LLVMFuzzerTestOneInput(bytes, fread(bytes, 1, sizeof bytes, file));
        fclose(file);
    }
    return 0;
}
