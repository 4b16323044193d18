/* SPDX-License-Identifier: BSD-3-Clause */
/* team_worker.c - what a worker of a team does from its start to its end. */
#include "engine/team_internal.h"

#include <signal.h>

/* --- failures -----------------------------------------------------------------------------------
 */

void team_fail(struct team *t, const struct err *why)
{
	if (!t->failed)
		t->why = *why;
	t->failed = true;
	pthread_cond_broadcast(&t->moved);
	pthread_cond_broadcast(&t->answered);
	for (size_t i = 0; i < t->count; i++)
		pthread_cond_signal(&t->worker[i].filled);
}

bool team_why(struct team *t, struct err *e)
{
	pthread_mutex_lock(&t->lock);
	err_set(e, "%s", t->why.text);
	pthread_mutex_unlock(&t->lock);
	return false;
}

/* --- ICMP errors that quote another worker's flow ------------------------------------------------
 */

static void answer(struct team *t, struct parcel_question *q, bool yes)
{
	pthread_mutex_lock(&t->lock);
	q->answer = yes ? ANSWER_YES : ANSWER_NO;
	pthread_cond_broadcast(&t->answered);
	pthread_mutex_unlock(&t->lock);
}

/* The other worker has it before him, and packets before it wait for none behind it: so he comes
 * to it. */
static bool await_answer(struct team *t, const struct parcel_question *q)
{
	bool yes;

	pthread_mutex_lock(&t->lock);
	while (q->answer == ANSWER_NONE && !t->failed)
		pthread_cond_wait(&t->answered, &t->lock);
	yes = q->answer == ANSWER_YES;
	pthread_mutex_unlock(&t->lock);
	return yes;
}

static void take_error(struct team_worker *w, struct parcel *b, size_t i)
{
	struct pkt *pkt = parcel_pkt(b, i);

	if (b->kind[i] == PARCEL_QUESTION)
		answer(w->team, b->question[i], engine_quoted(w->engine, pkt, &b->ticket[i]));
	else if (!await_answer(w->team, b->question[i]))
		engine_packet(w->engine, pkt, &b->ticket[i]);
}

/* --- parcels ------------------------------------------------------------------------------------
 */

static void work_off(struct team_worker *w, struct parcel *b)
{
	for (size_t i = 0; i < b->count && i < ENGINE_AHEAD; i++)
		engine_fetch_index(w->engine, &b->ticket[i]);
	for (size_t i = 0; i < b->count; i++) {
		if (i + ENGINE_AHEAD < b->count)
			engine_fetch_index(w->engine, &b->ticket[i + ENGINE_AHEAD]);
		engine_fetch(w->engine, b->ticket, i, b->count);
		if (b->kind[i] == PARCEL_PLAIN)
			engine_take(w->engine, parcel_pkt(b, i), &b->ticket[i]);
		else
			take_error(w, b, i);
	}
	engine_reach(w->engine, b->clock_ns);
	if (b->last)
		engine_end(w->engine, b->clock_ns);
}

/* Under the lock: it is done with the first parcel. */
static void put_back(struct team *t, struct team_worker *w)
{
	struct parcel *b = w->first;

	w->first = b->next;
	if (w->first == NULL)
		w->last = NULL;
	w->waiting--;
	if (b->room != NULL)
		b->room->users--;
	parcel_clear(b);
	b->next = t->spare;
	t->spare = b;
	if (t->waits && w->waiting <= TEAM_DEPTH / 2)
		pthread_cond_signal(&t->moved);
}

/* Under the lock: the next parcel; NULL: there will be none. */
static struct parcel *next_parcel(struct team *t, struct team_worker *w)
{
	while (w->first == NULL && !t->failed) {
		pthread_mutex_unlock(&t->lock);
		lane_rest(w->lane); /* others may wait for what is in it */
		pthread_mutex_lock(&t->lock);
		w->sleeps = true;
		while (w->first == NULL && !t->failed)
			pthread_cond_wait(&w->filled, &t->lock);
		w->sleeps = false;
	}
	return t->failed ? NULL : w->first;
}

static void *run(void *argument)
{
	struct team_worker *w = argument;
	struct team *t = w->team;
	struct parcel *b;
	struct err why;
	bool last = false;

	pthread_mutex_lock(&t->lock);
	while (!last && (b = next_parcel(t, w)) != NULL) {
		pthread_mutex_unlock(&t->lock);
		last = b->last;
		work_off(w, b);
		pthread_mutex_lock(&t->lock);
		if (!engine_well(w->engine, &why))
			team_fail(t, &why);
		put_back(t, w);
	}
	pthread_mutex_unlock(&t->lock);
	lane_end(w->lane);
	return NULL;
}

/* --- threads ------------------------------------------------------------------------------------
 */

/* Signals are for the program's own threads. */
bool team_start(struct team *t, struct err *e)
{
	sigset_t all, before;
	bool good = lanes_start(t->lanes, e);

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (size_t i = 0; i < t->count && good; i++) {
		struct team_worker *w = &t->worker[i];

		w->started = pthread_create(&w->thread, NULL, run, w) == 0;
		good = w->started || err_set(e, "cannot start a worker");
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return good;
}

void team_join(struct team *t)
{
	for (size_t i = 0; i < t->count; i++) {
		if (t->worker[i].started)
			pthread_join(t->worker[i].thread, NULL);
		t->worker[i].started = false;
	}
	t->over = true;
}

void team_stop(struct team *t)
{
	pthread_mutex_lock(&t->lock);
	if (!t->over)
		team_fail(t, &(struct err){ "the run was given up" });
	pthread_mutex_unlock(&t->lock);
	if (t->lanes != NULL)
		lanes_give_up(t->lanes);
	team_join(t);
}
