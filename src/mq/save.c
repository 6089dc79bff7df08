/* SPDX-License-Identifier: MIT */
#include "save.h"

#include <errno.h>

static bool put_back(const void *context, const struct message *message)
{
    const struct queue *queue = context;
    int sent;

    /* What is sent to a queue without a name has no reader to come. */
    if (!queue->writable || queue_unlinked(queue))
        return false;
    do
        sent =
            mq_send(queue->descriptor, message->bytes, message->length, (unsigned)message->number);
    while (sent != 0 && errno == EINTR);
    return sent == 0;
}

bool save_put_back(const struct queue *queue, const struct message *message)
{
    return put_back(queue, message);
}

static struct rescuer rescuer_of(const struct queue *queue)
{
    return (struct rescuer){
        .queue = queue->name.text,
        .sender = "mqsend",
        .unable = queue->writable ? "is full or removed" : "may not be written",
        .put_back = put_back,
        .context = queue,
    };
}

void save_messages(struct saved *saved, const struct queue *queue, const struct message *messages,
                   size_t count)
{
    const struct rescuer rescuer = rescuer_of(queue);

    rescue_messages(saved, &rescuer, messages, count);
}

enum status save_report(const struct saved *saved, const struct queue *queue)
{
    const struct rescuer rescuer = rescuer_of(queue);

    return rescue_report(saved, &rescuer);
}
