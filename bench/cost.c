/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cost.c - runs a program and says what it took: cost SECONDS PROGRAM ARGUMENT...
 *
 * Prints exit status (of a signal, 128 and its number), CPU seconds (user + system) and the largest
 * peak of resident memory in KiB of the program and all processes it has left behind, and seconds
 * by the clock.  After SECONDS it is killed.  What it prints itself is thrown away.
 *
 * A program of its own because the kernel lets a child's peak begin with its parent's size.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

static pid_t child;

static void stop(int number)
{
	(void)number;
	kill(-child, SIGKILL);
}

static double seconds_of(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void become(char **command)
{
	int nowhere = open("/dev/null", O_RDWR);

	setpgid(0, 0);
	dup2(nowhere, STDIN_FILENO);
	dup2(nowhere, STDOUT_FILENO);
	execvp(command[0], command);
	perror(command[0]);
	_exit(127);
}

int main(int argc, char **argv)
{
	int status, code = 127;
	double begin = now();
	struct rusage u;

	if (argc < 3)
		return 2;
#ifdef __linux__
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); /* orphans count too */
#endif
	child = fork();
	if (child == 0)
		become(argv + 2);
	setpgid(child, child);
	signal(SIGALRM, stop);
	alarm((unsigned)strtoul(argv[1], NULL, 10));
	for (pid_t done; (done = wait(&status)) > 0;)
		if (done == child)
			code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	getrusage(RUSAGE_CHILDREN, &u);
	printf("%d %.6f %ld %.6f\n", code, seconds_of(u.ru_utime) + seconds_of(u.ru_stime),
			u.ru_maxrss, now() - begin);
	return 0;
}
