/* SPDX-License-Identifier: MIT
 *
 * fifostat: show FIFOs: who reads and writes them or waits to, how much is
 * unread; without opening them, which would wake who waits.
 */
#include "fifo.h"
#include "gauge.h"
#include "json.h"
#include "name.h"
#include "options.h"
#include "peers.h"
#include "report.h"
#include "table.h"
#include "watch.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>

static struct table_style style;
static struct watching watching = WATCHING_DEFAULT;
static bool processes;

static const struct option_row options[] = {
    {'p', "processes", NULL, "a row per process that has it open or opens it", .flag = &processes},
    OPTION_JSON(style),
    OPTION_NOHEADINGS(style),
    OPTION_NAMES(style),
    OPTION_OUTPUT(style),
    OPTION_WATCH(watching),
    {0},
};

static const struct option_conflict conflicts[] = {INSPECTING_CONFLICTS, {0}};

static const struct tool tool = {
    .name = "fifostat",
    .operands = "FIFO...",
    .purpose = "Show FIFOs, their readers and writers, and what is unread; opens none of them.",
    .options = options,
    .conflicts = conflicts,
    .least_operands = 1,
    .most_operands = -1,
};

enum {
    NAME,
    READERS,
    WRITERS,
    UNREAD,
    CAPACITY,
    FILL,
    HISTORY,
    USER,
    GROUP,
    MODE,
    PID,
    ACCESS,
    STATE,
    COMMAND
};

static const struct column columns[] = {
    [NAME] = {"NAME", false},       [READERS] = {"READERS", false},  [WRITERS] = {"WRITERS", false},
    [UNREAD] = {"UNREAD", true},    [CAPACITY] = {"CAPACITY", true}, [FILL] = {"FILL", false},
    [HISTORY] = {"HISTORY", false}, [USER] = {"USER", false},        [GROUP] = {"GROUP", false},
    [MODE] = {"MODE", false},       [PID] = {"PID", true},           [ACCESS] = {"ACCESS", false},
    [STATE] = {"STATE", false},     [COMMAND] = {"COMMAND", false},  {0},
};

#define FIFO_COLUMNS    "name,readers,writers,unread,capacity,user,group,mode"
#define JSON_COLUMNS    "name,unread,capacity,user,group,mode"
#define WATCH_COLUMNS   "name,readers,writers,unread,fill,history"
#define PROCESS_COLUMNS "name,pid,access,state,command"

struct state {
    const char *path;
    struct stat status;
    const struct peer *peers;
    size_t peer_count;
    struct fill fill;
    bool partly_hidden; /* there may be more peers than are seen */
    struct ends hidden; /* at these ends */
};

static const char *state_of(const struct peer *peer)
{
    return peer->opening ? "opening" : "open";
}

static bool may_hide_at(const struct state *state, size_t end)
{
    return end == READERS ? state->hidden.reads : state->hidden.writes;
}

static bool is_at(const struct peer *peer, size_t end)
{
    return end == READERS ? peer->reads : peer->writes;
}

/* "812,815(opening)"; "-" for nobody, "?" for those who are not to be seen. */
static void fill_peers(struct table *table, size_t end, const struct state *state)
{
    struct buffer list = {0};

    for (size_t i = 0; i < state->peer_count; i++)
        if (is_at(&state->peers[i], end))
            buffer_add_format(&list, "%s%ld%s", list.length > 0 ? "," : "",
                              (long)state->peers[i].pid,
                              state->peers[i].opening ? "(opening)" : "");
    if (may_hide_at(state, end))
        buffer_add_text(&list, list.length > 0 ? ",?" : "?");
    else if (list.length == 0)
        buffer_add_text(&list, "-");
    table_bytes(table, end, list.bytes, list.length);
    buffer_free(&list);
}

static void fill_row(struct table *table, const struct state *state)
{
    table_row(table);
    table_text(table, NAME, state->path);
    fill_peers(table, READERS, state);
    fill_peers(table, WRITERS, state);
    if (state->fill.known) {
        table_number(table, UNREAD, state->fill.unread);
        table_number(table, CAPACITY, state->fill.capacity);
        gauge_bar(table, FILL, state->fill.unread, state->fill.capacity);
        gauge_history(table, HISTORY, state->path, state->fill.unread, state->fill.capacity);
        table_mark(table, gauge_mark(state->fill.unread, state->fill.capacity));
    } else if (state->peer_count == 0 && !state->partly_hidden) {
        table_number(table, UNREAD, 0); /* what nobody has open holds nothing */
    }
    table_user(table, USER, state->status.st_uid);
    table_group(table, GROUP, state->status.st_gid);
    table_mode(table, MODE, state->status.st_mode);
}

/* An array of who is seen; null where nobody is and some are hidden. */
static void add_peer_array(struct buffer *members, size_t end, const struct state *state)
{
    const char *key = end == READERS ? "readers" : "writers";
    size_t count = 0;

    for (size_t i = 0; i < state->peer_count; i++)
        count += is_at(&state->peers[i], end);
    if (count == 0 && may_hide_at(state, end)) {
        json_null(members, key);
        return;
    }
    json_open(members, key, "[");
    for (size_t i = 0; i < state->peer_count; i++) {
        const struct peer *peer = &state->peers[i];
        if (!is_at(peer, end))
            continue;
        json_open(members, NULL, "{");
        json_number(members, "pid", (unsigned long long)peer->pid);
        json_text(members, "state", state_of(peer));
        json_text(members, "command", peer->command);
        json_close(members, "}");
    }
    json_close(members, "]");
}

static void fill_processes(struct table *table, const struct state *state)
{
    for (size_t i = 0; i < state->peer_count; i++) {
        const struct peer *peer = &state->peers[i];
        fill_row(table, state);
        table_number(table, PID, (unsigned long long)peer->pid);
        table_text(table, ACCESS, peer_access(peer));
        table_text(table, STATE, state_of(peer));
        table_text(table, COMMAND, peer->command);
    }
}

/* What the rows of a table have beside the FIFO. */
struct extent {
    bool per_process;      /* a row for each, or in JSON both arrays */
    bool readers, writers; /* JSON: as arrays */
};

/* In JSON the columns that it is about are not shown as such. */
static struct extent extent_of(struct table *table)
{
    bool whole = style.output == NULL;
    struct extent extent = {
        .per_process = processes || table_shows(table, PID) || table_shows(table, ACCESS) ||
                       table_shows(table, STATE) || table_shows(table, COMMAND)};

    if (!style.json)
        return extent;
    extent.readers = whole || extent.per_process || table_shows(table, READERS);
    extent.writers = whole || extent.per_process || table_shows(table, WRITERS);
    for (size_t column = READERS; column <= COMMAND; column++)
        if (column == READERS || column == WRITERS || column >= PID)
            table_leave_out(table, column);
    return extent;
}

static void add_peers(struct table *table, const struct state *state, const struct extent *extent)
{
    struct buffer members = {0};

    if (extent->readers)
        add_peer_array(&members, READERS, state);
    if (extent->writers)
        add_peer_array(&members, WRITERS, state);
    if (members.length > 0)
        table_json(table, &members);
    buffer_free(&members);
}

static void show(struct table *table, const struct state *state, const struct extent *extent)
{
    if (!style.json && extent->per_process) {
        fill_processes(table, state);
        return;
    }
    fill_row(table, state);
    add_peers(table, state, extent);
}

/* What can be said of a path without looking for its peers. */
static int look(struct state *state, const char *path)
{
    *state = (struct state){.path = path};
    if (stat(path, &state->status) != 0) {
        bool missing = errno == ENOENT || errno == ENOTDIR;
        return (int)fail(missing ? STATUS_NO_OBJECT : status_of_error(errno),
                         "cannot look at FIFO %s: %s", shown(path),
                         missing ? "no such FIFO" : error_text(errno));
    }
    if (!S_ISFIFO(state->status.st_mode))
        return (int)fail(STATUS_DATA, "cannot look at FIFO %s: it is %s", shown(path),
                         fifo_instead(state->status.st_mode));
    return STATUS_DONE;
}

/* The same FIFO among the operands before it, or -1. */
static ptrdiff_t seen_before(const struct object_id *ids, size_t i)
{
    for (size_t before = 0; before < i; before++)
        if (ids[before].inode == ids[i].inode && ids[before].device == ids[i].device)
            return (ptrdiff_t)before;
    return -1;
}

/* Nobody is blocked in open(2) at one end where the other one is open. */
static struct ends hidden_ends(const struct state *state, const struct ends *astray)
{
    struct ends open = {false, false};

    for (size_t i = 0; i < state->peer_count; i++) {
        const struct peer *peer = &state->peers[i];
        open.reads = open.reads || (peer->reads && !peer->opening);
        open.writes = open.writes || (peer->writes && !peer->opening);
    }
    return (struct ends){.reads = state->partly_hidden || (astray->reads && !open.writes),
                         .writes = state->partly_hidden || (astray->writes && !open.reads)};
}

/* The states point into what is returned. */
static struct peers find_peers(struct state *states, size_t count)
{
    struct object_id *ids = calloc(count + 1, sizeof *ids);

    if (ids == NULL)
        die_of_memory();
    for (size_t i = 0; i < count; i++)
        ids[i] = (struct object_id){states[i].status.st_dev, states[i].status.st_ino};
    struct peers peers = peers_find(ids, count);
    bool astray = false;
    for (size_t i = 0, from = 0; i < count; i++) {
        struct state *state = &states[i];
        ptrdiff_t before = seen_before(ids, i);
        state->partly_hidden = peers.hidden > 0;
        if (before >= 0) {
            state->peers = states[before].peers;
            state->peer_count = states[before].peer_count;
            state->fill = states[before].fill;
            state->hidden = states[before].hidden;
            continue;
        }
        state->peers = peers.rows + from;
        while (from < peers.count && peers.rows[from].object == i)
            from++;
        state->peer_count = (size_t)(peers.rows + from - state->peers);
        state->fill = peers.fill[i];
        state->hidden = hidden_ends(state, &peers.astray[i]);
        astray = astray || (!state->partly_hidden && (state->hidden.reads || state->hidden.writes));
    }
    if (peers.hidden > 0)
        note("%zu process%s of other users may not be looked into; root sees all", peers.hidden,
             peers.hidden == 1 ? "" : "es");
    if (astray)
        note("a process waits in open(2) for a FIFO that is not at its path any more: it may be "
             "one of these");
    free(ids);
    return peers;
}

static const char *default_columns(void)
{
    return style.json        ? JSON_COLUMNS
           : processes       ? PROCESS_COLUMNS
           : watching.wanted ? WATCH_COLUMNS
                             : FIFO_COLUMNS;
}

/* OPERANDS end with NULL. */
static int show_all(void *operands)
{
    char **paths = operands;
    int result = STATUS_DONE;
    size_t most = 0, count = 0;

    for (; paths[most] != NULL; most++)
        if (paths[most][0] == '\0')
            usage_error("the path of the FIFO is empty");
    struct state *states = calloc(most + 1, sizeof *states);
    if (states == NULL)
        die_of_memory();
    struct table *table = table_new(columns, &style, default_columns());
    for (size_t i = 0; i < most; i++) {
        int status = look(&states[count], paths[i]);
        if (status == STATUS_DONE)
            count++;
        else if (result == STATUS_DONE)
            result = status;
    }
    struct peers peers = find_peers(states, count);
    const struct extent extent = extent_of(table);
    for (size_t i = 0; i < count; i++)
        show(table, &states[i], &extent);
    table_print(table);
    gauge_forget_unseen();
    peers_free(&peers);
    free(states);
    return result;
}

int main(int argc, char **argv)
{
    int first = options_parse(&tool, argc, argv);

    return watch(&watching, &style, show_all, argv + first);
}
