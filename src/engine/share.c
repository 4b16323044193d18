/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * share.c - the board of answers.
 *
 * Nobody waits for ever: who asks is at that packet, and who is to tell comes to it without waiting
 * for a later one; who finds a place taken is ahead of the one who will read it.
 */
#include "engine/share.h"

#include <string.h>

void board_init(struct board *b)
{
	memset(b, 0, sizeof *b);
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->moved, NULL);
}

void board_destroy(struct board *b)
{
	pthread_cond_destroy(&b->moved);
	pthread_mutex_destroy(&b->lock);
}

/* Under the lock: waits until something has moved; the first time there is something else to do. */
static void board_sleep(struct board *b, const struct board_wait **wait)
{
	const struct board_wait *first = *wait;

	*wait = NULL;
	if (first == NULL) {
		pthread_cond_wait(&b->moved, &b->lock);
		return;
	}
	pthread_mutex_unlock(&b->lock);
	first->before(first->ctx);
	pthread_mutex_lock(&b->lock);
}

void board_tell(struct board *b, uint64_t number, bool alive, const struct board_wait *wait)
{
	struct board_place *p = &b->place[number % BOARD_PLACES];

	pthread_mutex_lock(&b->lock);
	while (p->number != 0 && !b->given_up)
		board_sleep(b, &wait);
	*p = (struct board_place){ number, alive };
	pthread_cond_broadcast(&b->moved);
	pthread_mutex_unlock(&b->lock);
}

bool board_ask(struct board *b, uint64_t number, const struct board_wait *wait)
{
	struct board_place *p = &b->place[number % BOARD_PLACES];
	bool alive;

	pthread_mutex_lock(&b->lock);
	while (p->number != number && !b->given_up)
		board_sleep(b, &wait);
	alive = p->number == number && p->alive;
	p->number = 0;
	pthread_cond_broadcast(&b->moved);
	pthread_mutex_unlock(&b->lock);
	return alive;
}

void board_give_up(struct board *b)
{
	pthread_mutex_lock(&b->lock);
	b->given_up = true;
	pthread_cond_broadcast(&b->moved);
	pthread_mutex_unlock(&b->lock);
}
