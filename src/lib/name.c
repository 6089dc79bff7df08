/* SPDX-License-Identifier: MIT */
#include "name.h"

#include "report.h"
#include "utf8.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* People paste what ls printed. */
static const char *without_directory(const char *operand)
{
    static const char *const places[] = {"/dev/mqueue/", "/dev/shm/"};

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (strncmp(operand, places[i], strlen(places[i])) == 0)
            return operand + strlen(places[i]);
    return NULL;
}

struct name name_require(const char *operand, const char *kind, size_t longest)
{
    const char *bare = operand[0] == '/' ? operand + 1 : operand;
    const char *pasted = without_directory(operand);
    size_t length = strlen(bare);
    struct name name;

    if (pasted != NULL && *pasted != '\0' && strchr(pasted, '/') == NULL)
        die(STATUS_USAGE, "invalid %s name '%s': the name is '%s'", kind, shown(operand),
            shown(pasted));
    if (length == 0)
        die(STATUS_USAGE, "invalid %s name '%s': it is empty", kind, shown(operand));
    if (strchr(bare, '/') != NULL)
        die(STATUS_USAGE, "invalid %s name '%s': only its first character may be a slash", kind,
            shown(operand));
    if (strcmp(bare, ".") == 0 || strcmp(bare, "..") == 0)
        die(STATUS_USAGE, "invalid %s name '%s': '.' and '..' name no object", kind,
            shown(operand));
    if (length > longest)
        die(STATUS_USAGE, "invalid %s name of %zu bytes: the longest has %zu", kind, length,
            longest);
    name.text[0] = '/';
    memcpy(name.text + 1, bare, length + 1);
    return name;
}

/* Asked only once a byte beyond ASCII turns up: setlocale(3) would cost every
 * start of every tool more than the system calls that do its work. */
bool terminal_is_utf8(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};

    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const char *value = getenv(variables[i]);
        if (value != NULL && *value != '\0')
            return strstr(value, "UTF-8") != NULL || strstr(value, "utf8") != NULL ||
                   strstr(value, "utf-8") != NULL || strstr(value, "UTF8") != NULL;
    }
    return false;
}

/* C1 controls are commands to a terminal; the others are blanks, or change the order
 * or the boundaries of what is seen without being seen. */
static bool is_invisible(uint32_t c)
{
    return (c >= 0x80 && c <= 0xa0) || c == 0xad || c == 0x61c || c == 0x115f || c == 0x1160 ||
           c == 0x1680 || c == 0x180e || (c >= 0x2000 && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202f) || (c >= 0x205f && c <= 0x206f) || c == 0x3000 ||
           c == 0x3164 || c == 0xfeff || c == 0xffa0 || (c >= 0xe0000 && c <= 0xe0fff);
}

static void show_escape(struct buffer *out, unsigned char c)
{
    if (c == '\n')
        buffer_add(out, "\\n", 2);
    else if (c == '\t')
        buffer_add(out, "\\t", 2);
    else if (c == '\\')
        buffer_add(out, "\\\\", 2);
    else
        buffer_add_format(out, "\\x%02x", c);
}

static bool is_plain_ascii(unsigned char c)
{
    return c > ' ' && c < 0x7f && c != '\\';
}

/* The length of the character that BYTES begin with, if it may be shown; else 0. */
static size_t plain_character(const char *bytes, size_t length)
{
    uint32_t code_point;
    size_t size = utf8_character(bytes, length, &code_point);

    return size > 0 && !is_invisible(code_point) && terminal_is_utf8() ? size : 0;
}

void show_bytes(struct buffer *out, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length;) {
        size_t run = 0;
        while (i + run < length && is_plain_ascii((unsigned char)bytes[i + run]))
            run++;
        if (run == 0 && (unsigned char)bytes[i] >= 0x80)
            run = plain_character(bytes + i, length - i);
        if (run == 0)
            show_escape(out, (unsigned char)bytes[i]);
        else
            buffer_add(out, bytes + i, run);
        i += run == 0 ? 1 : run;
    }
}

/* What comes after it in a message is not to be cut off by it. */
enum { SHOWN_MOST = 1000 };

const char *shown(const char *text)
{
    static struct buffer turns[4];
    static unsigned turn;
    struct buffer *out = &turns[turn++ % 4];
    size_t length = strlen(text);

    out->length = 0;
    show_bytes(out, text, length > SHOWN_MOST ? SHOWN_MOST : length);
    if (length > SHOWN_MOST)
        buffer_add_text(out, "...");
    buffer_add(out, "", 1);
    return out->bytes;
}
