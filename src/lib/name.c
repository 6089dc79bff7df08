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

/* C1 controls are commands to a terminal; the others change the order or the
 * boundaries of what is seen without being seen. */
static bool is_invisible(uint32_t c)
{
    return (c >= 0x80 && c <= 0xa0) || c == 0xad || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
           (c >= 0xe0000 && c <= 0xe0fff);
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

void show_bytes(struct buffer *out, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length;) {
        unsigned char c = (unsigned char)bytes[i];
        uint32_t code_point;
        size_t size = 1;
        bool plain = c > ' ' && c < 0x7f && c != '\\';
        if (c >= 0x80) {
            size = utf8_character(bytes + i, length - i, &code_point);
            plain = size > 0 && !is_invisible(code_point) && terminal_is_utf8();
            if (!plain)
                size = 1;
        }
        if (plain)
            buffer_add(out, bytes + i, size);
        else
            show_escape(out, c);
        i += size;
    }
}

const char *shown(const char *text)
{
    static struct buffer turns[4];
    static unsigned turn;
    struct buffer *out = &turns[turn++ % 4];

    out->length = 0;
    show_bytes(out, text, strlen(text));
    buffer_add(out, "", 1);
    return out->bytes;
}
