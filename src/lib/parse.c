/* SPDX-License-Identifier: MIT */
#include "parse.h"

#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The digits at the start of *TEXT, which is moved past them; false if there
 * are none or the number does not fit. */
static bool leading_number(const char **text, uint64_t *number)
{
    const char *at = *text;
    uint64_t value = 0;

    if (!is_digit(*at))
        return false;
    for (; is_digit(*at); at++) {
        unsigned digit = (unsigned)(*at - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *text = at;
    *number = value;
    return true;
}

bool parse_number(const char *text, uint64_t least, uint64_t most, uint64_t *number)
{
    uint64_t value;

    if (!leading_number(&text, &value) || *text != '\0' || value < least || value > most)
        return false;
    *number = value;
    return true;
}

bool parse_size(const char *text, uint64_t most, uint64_t *bytes)
{
    static const char units[] = "KMGT";
    uint64_t value;
    unsigned shift = 0;

    if (!leading_number(&text, &value))
        return false;
    if (*text != '\0') {
        const char *unit = strchr(units, *text++);
        if (unit == NULL || (*text != '\0' && strcmp(text, "iB") != 0))
            return false;
        shift = 10 * (unsigned)(unit - units + 1);
    }
    if (value > most >> shift)
        return false;
    *bytes = value << shift;
    return true;
}

bool parse_mode(const char *text, mode_t *mode)
{
    mode_t value = 0;

    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '7')
            return false;
        value = value * 8 + (mode_t)(*text - '0');
        if (value > 0777)
            return false;
    }
    *mode = value;
    return true;
}

/* The nanoseconds in one of the unit that TEXT names; 0 if it names none. */
static nanoseconds duration_unit(const char *text)
{
    static const struct {
        const char *name;
        nanoseconds length;
    } units[] = {
        {"", SECOND},       {"s", SECOND},        {"ms", SECOND / 1000},
        {"m", 60 * SECOND}, {"h", 3600 * SECOND}, {"d", 86400 * SECOND},
    };

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(text, units[i].name) == 0)
            return units[i].length;
    return 0;
}

bool parse_duration(const char *text, nanoseconds *duration)
{
    uint64_t whole = 0;
    uint64_t billionths = 0;
    unsigned digits = 0;

    if (strcmp(text, "inf") == 0) {
        *duration = NO_LIMIT;
        return true;
    }
    bool has_whole = leading_number(&text, &whole);
    if (!has_whole && *text != '.')
        return false;
    if (*text == '.')
        for (text++; is_digit(*text); text++, digits++)
            if (digits < 9)
                billionths = billionths * 10 + (uint64_t)(*text - '0');
    if (!has_whole && digits == 0)
        return false;
    for (; digits < 9; digits++)
        billionths *= 10;

    nanoseconds unit = duration_unit(text);
    if (unit == 0 || whole >= (uint64_t)(NO_LIMIT / unit))
        return false;
    /* Every unit is whole milliseconds: divided first, so that the product fits. */
    nanoseconds fraction = (nanoseconds)billionths * (unit / 1000000) / 1000;
    *duration = (nanoseconds)whole * unit + fraction;
    return true;
}
