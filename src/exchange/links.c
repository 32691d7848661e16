/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "exchange/links.h"

void chains_add(struct chains *chains, struct chain_link *link, uint64_t hash, void *owner)
{
    struct chain_link **newest = &chains->newest[hash % CHAINS];

    *link = (struct chain_link){.hash = hash, .owner = owner, .next = *newest, .at = newest};
    if (link->next)
        link->next->at = &link->next;
    *newest = link;
}

void chains_remove(struct chain_link *link)
{
    if (!link->at)
        return;
    *link->at = link->next;
    if (link->next)
        link->next->at = link->at;
    link->at = NULL;
}

static struct chain_link *skip_others(struct chain_link *link, uint64_t hash)
{
    while (link && link->hash != hash)
        link = link->next;
    return link;
}

struct chain_link *chains_find(const struct chains *chains, uint64_t hash)
{
    return skip_others(chains_near(chains, hash), hash);
}

struct chain_link *chains_older(const struct chain_link *link)
{
    return skip_others(link->next, link->hash);
}

struct chain_link *chains_near(const struct chains *chains, uint64_t hash)
{
    return chains->newest[hash % CHAINS];
}

void queue_add(struct queue *queue, struct queue_link *link, void *owner)
{
    *link = (struct queue_link){.older = queue->newest, .owner = owner};
    *(queue->newest ? &queue->newest->newer : &queue->oldest) = link;
    queue->newest = link;
    queue->count++;
}

void queue_remove(struct queue *queue, struct queue_link *link)
{
    *(link->older ? &link->older->newer : &queue->oldest) = link->newer;
    *(link->newer ? &link->newer->older : &queue->newest) = link->older;
    queue->count--;
}

void *queue_oldest(const struct queue *queue)
{
    return queue->oldest ? queue->oldest->owner : NULL;
}
