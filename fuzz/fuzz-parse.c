/* SPDX-License-Identifier: MIT
 *
 * Numbers, sizes, modes, durations and names from any text: what is refused
 * leaves the target alone, what is taken is in range, and what is shown is one
 * line.
 */
#include "fuzz.h"
#include "name.h"
#include "parse.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 400 };

static void parse(const char *text)
{
    uint64_t number = 77;
    mode_t mode = 07777;
    nanoseconds duration = -77;

    if (parse_number(text, 5, 1000, &number) ? number < 5 || number > 1000 : number != 77)
        abort();
    number = 77;
    if (parse_size(text, UINT64_C(1) << 40, &number) ? number > UINT64_C(1) << 40 : number != 77)
        abort();
    if (parse_mode(text, &mode) ? mode > 0777 : mode != 07777)
        abort();
    if (parse_duration(text, &duration) ? duration < 0 : duration != -77)
        abort();
}

/* A name that keeps the rule is taken: else the process ends. */
static void take_name(const char *text)
{
    const char *bare = text[0] == '/' ? text + 1 : text;
    size_t length = strlen(bare);

    if (length == 0 || length > NAME_LONGEST || strchr(bare, '/') != NULL ||
        strcmp(bare, ".") == 0 || strcmp(bare, "..") == 0)
        return;
    struct name name = name_require(text, "queue", NAME_LONGEST);
    if (name.text[0] != '/' || strcmp(name.text + 1, bare) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char text[MOST + 1];

    if (length > MOST)
        return 0;
    memcpy(text, bytes, length);
    text[length] = '\0';
    parse(text);
    take_name(text);
    for (const char *at = shown(text); *at != '\0'; at++)
        if ((unsigned char)*at <= ' ')
            abort();
    return 0;
}
