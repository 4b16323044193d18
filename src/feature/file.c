/* SPDX-License-Identifier: BSD-3-Clause */
/* file.c - the capture that a flow was read from, where each file has flows of its own. */
#include "feature/file_out.h"

#include <string.h>

#include "feature/feature.h"

static bool enabled(const struct conf *conf, const void *options)
{
	(void)options;
	return conf->independent;
}

static bool finish(const void *state, const struct feature_env *env, const struct flow_view *view,
		void *out)
{
	(void)state;
	(void)view;
	if (env->file == NULL)
		return false;
	((struct file_out *)out)->file = (struct field_text){ env->file, strlen(env->file) };
	return true;
}

static const struct field fields[] = {
	FIELD(struct file_out, file, "file", "",
			"The capture that the flow was read from: its path as it was given, or "
			"below a folder that was; - is standard input.  Flows with the same "
			"flow_id in different files are different flows.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out unless independent=1",
			.source = "Joy"),
	{ 0 },
};

const struct feature feature_file = {
	.name = "file",
	.help = "the file of each flow",
	.out_size = sizeof(struct file_out),
	.finish = finish,
	.fields = fields,
	.switched_by = "independent",
	.enabled = enabled,
};
