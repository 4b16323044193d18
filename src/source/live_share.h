/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * live_share.h - which of several workers gets a packet: a program that the kernel runs (fanout).
 *
 * All that belongs together goes to the same worker: both directions of a flow, the fragments of a
 * datagram and the other packets of its flow, the flows inside a tunnel, and ICMP errors with
 * the flow that they quote.  So TCP is told apart by addresses and ports, all else by addresses
 * only (the outermost ones, behind VLAN tags, MPLS labels and PPPoE); what is not IP goes to the
 * first. An exception: fragments of TCP, which hardly anybody sends.
 *
 * The kernel's own way (PACKET_FANOUT_HASH with defragmentation) hides the fragments, loses those
 * that are not complete, and parts the two directions inside of UDP tunnels.
 *
 * Linux only (live_share_linux.c).
 */
#pragma once

#include <stdbool.h>

/* Has the packets of the group that this socket has begun shared out so.  False with errno. */
bool live_share(int fd);
