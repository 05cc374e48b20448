// SPDX-License-Identifier: MIT
/*
 * What pam_access(8) of this machine says: pam-access CONFDIR; each line of stdin is a service in CONFDIR, a space,
 * and the host that root comes from. Prints a line for each: 1 lets in, 0 does not.
 * Linux-PAM's headers are in a package of their own; the few things that are needed of them stand here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pam_handle;
struct pam_conv {
	int (*conv)(int, const void **, void **, void *);
	void *data;
};
int pam_start_confdir(const char *service, const char *user, const struct pam_conv *conv, const char *confdir,
		      struct pam_handle **handle);
int pam_set_item(struct pam_handle *handle, int type, const void *item);
int pam_acct_mgmt(struct pam_handle *handle, int flags);
int pam_end(struct pam_handle *handle, int status);

enum { PAM_SUCCESS = 0, PAM_RHOST = 4 };

static int no_conversation(int count, const void **messages, void **responses, void *data)
{
	(void)count, (void)messages, (void)responses, (void)data;
	return 19; /* PAM_CONV_ERR */
}

int main(int argc, char **argv)
{
	static const struct pam_conv conversation = { no_conversation, NULL };
	char line[1024];

	while (argc == 2 && fgets(line, sizeof(line), stdin)) {
		struct pam_handle *handle;
		char *host = strchr(line, ' ');

		line[strcspn(line, "\n")] = 0;
		if (!host)
			return 2;
		*host++ = 0;
		if (pam_start_confdir(line, "root", &conversation, argv[1], &handle) != PAM_SUCCESS ||
		    pam_set_item(handle, PAM_RHOST, host) != PAM_SUCCESS)
			return 3;
		printf("%d\n", pam_acct_mgmt(handle, 0) == PAM_SUCCESS);
		pam_end(handle, PAM_SUCCESS);
	}
	return argc != 2;
}
