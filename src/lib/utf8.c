/* SPDX-License-Identifier: MIT */
#define _XOPEN_SOURCE 700 /* wcwidth */
#include "utf8.h"

#include <locale.h>
#include <wchar.h>

size_t utf8_character(const char *bytes, size_t length, uint32_t *code_point)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *at = (const unsigned char *)bytes;
    size_t size;
    uint32_t value;

    if (length == 0)
        return 0;
    if (at[0] < 0x80) {
        *code_point = at[0];
        return 1;
    }
    if (at[0] >= 0xc2 && at[0] <= 0xdf)
        size = 2;
    else if (at[0] >= 0xe0 && at[0] <= 0xef)
        size = 3;
    else if (at[0] >= 0xf0 && at[0] <= 0xf4)
        size = 4;
    else
        return 0;
    if (size > length)
        return 0;

    value = at[0] & (0xffu >> (size + 1));
    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (at[i] & 0x3f);
    }
    bool surrogate = value >= 0xd800 && value <= 0xdfff;
    if (value < smallest[size] || value > 0x10ffff || surrogate)
        return 0;
    *code_point = value;
    return size;
}

unsigned utf8_columns(uint32_t code_point)
{
    static bool knows;

    if (code_point < 0x80)
        return 1;
    /* Only once it is needed: it would cost every run more than a system call. */
    if (!knows && setlocale(LC_CTYPE, "") != NULL && wcwidth(0xe9) != 1)
        setlocale(LC_CTYPE, "C.UTF-8");
    knows = true;
    int columns = wcwidth((wchar_t)code_point);
    return columns < 0 ? 1 : (unsigned)columns;
}

bool utf8_valid(const char *bytes, size_t length)
{
    uint32_t code_point;

    while (length > 0) {
        size_t size = utf8_character(bytes, length, &code_point);
        if (size == 0)
            return false;
        bytes += size;
        length -= size;
    }
    return true;
}
