// SPDX-License-Identifier: GPL-2.0
/* Each file that is named is an input, once. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fuzz.h"

int main(int argc, char **argv)
{
	static uint8_t buf[1 << 20];
	int i, fd;

	LLVMFuzzerInitialize(&argc, &argv);
	for (i = 1; i < argc; i++) {
		ssize_t size;
		uint8_t *data;

		fd = open(argv[i], O_RDONLY);
		size = fd < 0 ? -1 : read(fd, buf, sizeof(buf));
		if (size < 0) {
			perror(argv[i]);
			return 1;
		}
		close(fd);
		/* Of its own size, so that a look past its end is seen. */
		data = malloc(size);
		for (ssize_t n = 0; n < size; n++)
			data[n] = buf[n];
		LLVMFuzzerTestOneInput(data, size);
		free(data);
	}
	return 0;
}
