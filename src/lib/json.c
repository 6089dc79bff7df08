/* SPDX-License-Identifier: MIT */
#include "json.h"

#include "utf8.h"

#include <stdint.h>
#include <string.h>

static void separate(struct buffer *out)
{
    if (out->length > 0 && strchr("{[", out->bytes[out->length - 1]) == NULL)
        buffer_add(out, ",", 1);
}

static void begin(struct buffer *out, const char *key, const char *suffix)
{
    separate(out);
    if (key == NULL)
        return;
    buffer_add(out, "\"", 1);
    buffer_add_text(out, key);
    buffer_add_text(out, suffix);
    buffer_add(out, "\":", 2);
}

void json_start(struct buffer *out)
{
    buffer_add(out, "{", 1);
}

void json_open(struct buffer *out, const char *key, const char *bracket)
{
    begin(out, key, "");
    buffer_add_text(out, bracket);
}

void json_close(struct buffer *out, const char *bracket)
{
    buffer_add_text(out, bracket);
}

static void add_base64(struct buffer *out, const char *bytes, size_t length)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *at = (const unsigned char *)bytes;

    for (; length > 0; at += 3) {
        size_t size = length < 3 ? length : 3;
        uint32_t group = (uint32_t)at[0] << 16;
        if (size > 1)
            group |= (uint32_t)at[1] << 8;
        if (size > 2)
            group |= at[2];
        char four[4] = {digits[group >> 18], digits[group >> 12 & 63],
                        size > 1 ? digits[group >> 6 & 63] : '=',
                        size > 2 ? digits[group & 63] : '='};
        buffer_add(out, four, 4);
        length -= size;
    }
}

static void add_escaped(struct buffer *out, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c == '"' || c == '\\') {
            char pair[2] = {'\\', (char)c};
            buffer_add(out, pair, 2);
        } else if (c == '\n') {
            buffer_add(out, "\\n", 2);
        } else if (c == '\t') {
            buffer_add(out, "\\t", 2);
        } else if (c < 0x20 || c == 0x7f) {
            buffer_add_format(out, "\\u%04x", c);
        } else if (c == 0xc2 && (unsigned char)bytes[i + 1] < 0xa0) { /* C1: also for terminals */
            buffer_add_format(out, "\\u%04x", (unsigned char)bytes[++i]);
        } else {
            buffer_add(out, &bytes[i], 1);
        }
    }
}

void json_bytes(struct buffer *out, const char *key, const char *bytes, size_t length)
{
    bool text = utf8_valid(bytes, length);

    begin(out, key, text ? "" : "_base64");
    buffer_add(out, "\"", 1);
    if (text)
        add_escaped(out, bytes, length);
    else
        add_base64(out, bytes, length);
    buffer_add(out, "\"", 1);
}

void json_text(struct buffer *out, const char *key, const char *text)
{
    json_bytes(out, key, text, strlen(text));
}

void json_number(struct buffer *out, const char *key, unsigned long long number)
{
    begin(out, key, "");
    buffer_add_format(out, "%llu", number);
}

void json_digits(struct buffer *out, const char *key, const char *digits, size_t length)
{
    begin(out, key, "");
    buffer_add(out, digits, length);
}

void json_null(struct buffer *out, const char *key)
{
    begin(out, key, "");
    buffer_add(out, "null", 4);
}

size_t json_bytes_bound(size_t length)
{
    return length * 6 + sizeof "\"\",_base64";
}
