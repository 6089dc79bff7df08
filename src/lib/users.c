/* SPDX-License-Identifier: MIT */
#include "users.h"

#include "json.h"
#include "report.h"

bool users_wanted(const struct table *table, const struct user_columns *columns)
{
    return table_shows(table, columns->pid) || table_shows(table, columns->access) ||
           table_shows(table, columns->command);
}

static void fill_process(struct table *table, const struct user_columns *columns,
                         const struct process_use *use)
{
    table_number(table, columns->pid, (unsigned long long)use->pid);
    table_text(table, columns->access, process_access(use));
    table_text(table, columns->command, use->command);
}

static void add_array(struct table *table, const struct process_use *uses, size_t count)
{
    struct buffer members = {0};

    json_open(&members, "processes", "[");
    for (size_t i = 0; i < count; i++) {
        json_open(&members, NULL, "{");
        json_number(&members, "pid", (unsigned long long)uses[i].pid);
        json_text(&members, "access", process_access(&uses[i]));
        json_text(&members, "command", uses[i].command);
        json_close(&members, "}");
    }
    json_close(&members, "]");
    table_json(table, &members);
    buffer_free(&members);
}

void users_fill(struct table *table, const struct user_columns *columns, bool json,
                const struct object_id *ids, size_t count,
                void (*fill)(struct table *table, const void *objects, size_t i),
                const void *objects)
{
    struct process_uses uses = processes_using(ids, count);

    for (size_t i = 0, from = 0, to = 0; i < count; i++, from = to) {
        while (to < uses.count && uses.rows[to].object == i)
            to++;
        if (json) {
            fill(table, objects, i);
            add_array(table, uses.rows + from, to - from);
            continue;
        }
        for (size_t use = from; use < to; use++) {
            fill(table, objects, i);
            fill_process(table, columns, &uses.rows[use]);
        }
    }
    if (uses.hidden > 0)
        note("%zu process%s of other users may not be looked into; root sees all", uses.hidden,
             uses.hidden == 1 ? "" : "es");
    process_uses_free(&uses);
}
